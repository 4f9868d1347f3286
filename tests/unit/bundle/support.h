/// Trees and bundles for the tests of bundle/.
#pragma once

#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "bundle/bundle.h"
#include "model/release.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace upaas::bundle::test {

namespace fs = std::filesystem;

inline void put(const fs::path& path, std::string_view text, mode_t mode = 0644) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), mode);
}

inline model::AppSpec spec() {
  model::AppSpec made;
  made.interpreter.type = model::InterpreterName("python");
  made.env.emplace(model::EnvName("GREETING"), "h\xC3\xA9llo");
  return made;
}

inline model::Runtime runtime() {
  model::Runtime made;
  made.name = model::InterpreterName("python");
  made.version = "3.11";
  made.settings.emplace(model::SettingName("module"), model::PlainText("app"));
  return made;
}

/// A bit of everything that a tree may hold.
inline void plant(const fs::path& tree) {
  put(tree / "app.py", "def application(env, start):\n    pass\n");
  put(tree / "bin/run me.sh", "#!/bin/sh\n", 0755);
  put(tree / "\xC3\xBCml\xC3\xA4ut/" / std::string(120, 'n') / "deep.txt", "deep");
  put(tree / "empty.txt", "");
  put(tree / ".upaas/venv/pyvenv.cfg", "home = /usr/bin\n");
  fs::create_directories(tree / "a-directory/empty");
  fs::create_symlink("app.py", tree / "link.py");
  fs::create_symlink("../app.py", tree / "bin/up.py");
  fs::create_symlink("/usr/bin/python3", tree / ".upaas/venv/python3");
  fs::create_symlink("/home/app/app.py", tree / "absolute.py");
}

inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

inline Outcome sh(const std::string& line) {
  Command command;
  command.argv = {"/bin/sh", "-c", line};
  return run(command);
}

inline const auto kStamp = std::chrono::system_clock::from_time_t(1'700'000'000);

}  // namespace upaas::bundle::test
