#include "cli/command_bundles_export.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "cli/bundle_choice.h"
#include "cli/interrupt.h"
#include "cli/stream.h"
#include "cli/text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ostream>

namespace upaas::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShown = 12;

/// What comes, compared with the id, is put in place when it is whole.
void download(Server& server, const wire::BundleView& view, const fs::path& to,
              const std::stop_token& stop) {
  const auto other = [&](long long bytes) {
    return Error(ErrorKind::invalid,
                 fmt::format("what came is not the bundle {}: {} bytes of {}", view.bundle, bytes,
                             view.bytes),
                 "it was changed or cut on its way: try again");
  };
  AtomicFile file(to);
  Sha256 digest;
  long long bytes = 0;
  (void)server.send({.target = bundle_target(view.bundle) + "/file",
                     .limit = std::chrono::milliseconds(0),
                     .on_body =
                         [&](std::string_view piece) {
                           bytes += static_cast<long long>(piece.size());
                           if (bytes > view.bytes) throw other(bytes);
                           digest.update(piece);
                           file.write(piece);
                         },
                     .stop = stop});
  if (bytes != view.bytes || digest.hex() != view.bundle) throw other(bytes);
  file.commit();
}

fs::path absent(const Context& context, const std::string& shown) {
  fs::path directory = context.cwd / shown;
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(directory, ignored))) return directory;
  throw Error(ErrorKind::conflict, shown + " exists", "--unpack makes a directory of its own");
}

void unpack(const fs::path& bundle, const fs::path& directory) {
  (void)bundle::unpack(bundle, directory, {.stamp = std::chrono::system_clock::now()});
}

Json exported(const std::string& bundle, long long bytes, const std::string& file,
              const std::string& directory) {
  return {{"schema", "upaas.bundle-export/v1"},
          {"bundle", bundle},
          {"bytes", bytes},
          {"file", file},
          {"directory", directory}};
}

Json unpack_file(const Context& context, const std::string& word, const std::string& shown) {
  const fs::path file = bundle_file(context, word);
  const fs::path directory = absent(context, shown);
  try {
    unpack(file, directory);
  } catch (Error& error) {
    throw error.within(word);
  }
  return exported(sha256_file(file), static_cast<long long>(fs::file_size(file)), "", shown);
}

Json fetch(const Context& context, const std::string& word,
           const std::optional<std::string>& shown) {
  Interrupt interrupt;
  const std::stop_token stop = interrupt.token();
  const fs::path directory = shown ? absent(context, *shown) : fs::path();
  Server server = bundle_server(context);
  const auto view = wire::bundle_details_from_json(server.get(bundle_target(word))).view;
  if (shown) {
    const TempDir temporary(variable(context.env, "TMPDIR").value_or("/tmp"));
    const fs::path file = temporary.path() / "bundle.tar.gz";
    download(server, view, file, stop);
    unpack(file, directory);
    return exported(view.bundle, view.bytes, "", *shown);
  }
  const std::string name = (view.app.empty() ? "" : view.app + "-") + view.bundle.substr(0, kShown);
  const std::string out = context.arguments.value("out").value_or(name + ".tar.gz");
  download(server, view, context.cwd / out, stop);
  return exported(view.bundle, view.bytes, out, "");
}

}  // namespace

int run_bundles_export(Context& context) {
  const std::string word = bundle_word(context);
  const auto directory = context.arguments.value("unpack");
  if (directory && context.arguments.has("out"))
    throw Error(ErrorKind::invalid, "--out and --unpack are two things", "give one of them");
  if (names_file(word) && !directory) {
    throw Error(ErrorKind::invalid, word + " is a file of this machine already",
                "with --unpack DIR it is unpacked");
  }
  const Json done =
      names_file(word) ? unpack_file(context, word, *directory) : fetch(context, word, directory);
  if (context.format != Format::text) {
    print_json(context, done);
    return 0;
  }
  context.out << printable(get_string(done, directory ? "directory" : "file")) << "\n";
  return 0;
}

}  // namespace upaas::cli
