/// The cage that builds run in: bubblewrap's argv as a pure function. What is inside: the machine's
/// /usr (read-only, with the /bin, /lib... links of Debian 12), the few files of /etc that name
/// resolution, TLS and dynamic linking need, /proc and /dev of its own, an empty /tmp and /dev/shm,
/// and the app's tree at /home/app. What is not: /root, /home, /var, /run, the data of upaas, other
/// processes. Own pid, ipc and uts namespaces; killed with its parent; no terminal; exactly the
/// given environment (and PWD). Inside, the command runs as `uid` without capabilities (setpriv
/// drops them after bubblewrap, run as root, has mounted: so no path of the host needs to be
/// readable for that uid). Called by an ordinary user it runs as that user, who must be `uid`, in a
/// user namespace.
#pragma once

#include "base/process.h"
#include "model/units.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace upaas::host {

struct Sandbox {
  std::filesystem::path tree;  // becomes /home/app, writable
  model::Uid uid;              // owner of the tree
  Environment env;
  /// In place of a command: what `/bin/sh -e -c` would run.
  std::optional<std::string> script = {};
  bool network = true;
  /// Files of the host shown read-only at the given place inside (CA files, registry settings).
  std::map<std::filesystem::path, std::filesystem::path> files = {};
  /// Directories of a cgroup that it joins before anything else, as root.
  std::vector<std::filesystem::path> cgroups = {};
  /// Of its /tmp and of its /dev/shm; 0: half of the machine's memory.
  model::Megabytes tmp_size = {};
};

/// argv that runs `command` in it. Error(config) when one of `files` would lie in /home/app, /usr,
/// /proc or /dev, or its place is not an absolute path. The command's exit code is argv's; when it
/// ends, whatever it left running in the background is dead before argv ends.
[[nodiscard]] std::vector<std::string> sandbox_argv(const Sandbox& sandbox,
                                                    const std::vector<std::string>& command = {});

/// What argv must get as its input: the environment and the script, which everybody on the machine
/// could read in an argument list. The command itself gets an empty input. Error(invalid) for a name that no
/// shell takes.
[[nodiscard]] std::string sandbox_input(const Sandbox& sandbox);

}  // namespace upaas::host
