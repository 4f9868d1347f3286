/// The cage that builds run in: bubblewrap's argv as a pure function. What is inside: the machine's
/// /usr (read-only, with the /bin, /lib... links of Debian 12), the few files of /etc that name
/// resolution, TLS and dynamic linking need, /proc and /dev of its own, an empty /tmp, and the app's
/// tree at /home/app. What is not: /root, /home, /var, /run, the data of upaas, other processes.
/// Own pid, ipc and uts namespaces; killed with its parent; no terminal; exactly the given environment.
/// Inside, the command runs as `uid` without capabilities (setpriv drops them after bubblewrap, run as
/// root, has mounted: so no path of the host needs to be readable for that uid).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/process.h"
#include "model/units.h"

namespace upaas::host {

struct Sandbox {
  std::filesystem::path tree;  // becomes /home/app, writable
  model::Uid uid;              // owner of the tree
  Environment env;
  bool network = true;
  /// Files of the host shown read-only at the given place inside (CA files, registry settings).
  std::map<std::filesystem::path, std::filesystem::path> files;
};

/// argv that runs `command` in it.
[[nodiscard]] std::vector<std::string> sandbox_argv(const Sandbox& sandbox,
                                                    const std::vector<std::string>& command);

}  // namespace upaas::host
