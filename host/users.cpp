#include "host/users.h"

#include "base/files.h"
#include "model/app_spec.h"

#include <fmt/core.h>

namespace upaas::host {

void write_users(const std::filesystem::path& directory, model::Uid uid) {
  // `upaas build` of root's, without a server, may run as root itself.
  const std::string own =
      uid.value == 0 ? ""
                     : fmt::format("app:x:{0}:{0}:app:{1}:/bin/sh\n", uid.value, model::kAppHome);
  const std::string group = uid.value == 0 ? "" : fmt::format("app:x:{}:\n", uid.value);
  const WriteOptions shown{.mode = 0644, .sync = false};
  write_file(directory / "passwd",
             "root:x:0:0:root:/:/bin/sh\n" + own +
                 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
             shown);
  write_file(directory / "group", "root:x:0:\n" + group + "nogroup:x:65534:\n", shown);
}

}  // namespace upaas::host
