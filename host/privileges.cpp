#include "host/privileges.h"

#include "base/error.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

namespace upaas::host {
namespace {

void check(bool good, std::string_view step) {
  if (!good) {
    throw system_error(step);
  }
}

// Needs CAP_SETPCAP, so it comes before the change of uid.
void limit_bounding_set(bool keep_bind) {
  for (unsigned long number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if (!keep_bind || number != CAP_NET_BIND_SERVICE) {
      check(::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0, "bounding set");
    }
  }
}

// Effective, permitted and inheritable set, in that order in each 32-bit word.
void set_capabilities(std::uint32_t low_word) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  data[0] = {low_word, low_word, low_word};
  check(::syscall(SYS_capset, &header, data.data()) == 0, "capset");
}

}  // namespace

void become(model::Uid uid, const std::vector<gid_t>& groups, bool bind_low_ports) {
  const auto id = uid.value;
  limit_bounding_set(bind_low_ports);
  check(::setgroups(groups.size(), groups.data()) == 0, "setgroups");
  check(::setresgid(id, id, id) == 0, "setresgid");
  check(::prctl(PR_SET_KEEPCAPS, bind_low_ports ? 1UL : 0UL, 0, 0, 0) == 0, "keep capabilities");
  check(::setresuid(id, id, id) == 0, "setresuid");
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, "ambient set");
  if (!bind_low_ports) {
    set_capabilities(0);
    return;
  }
  set_capabilities(std::uint32_t{1} << CAP_NET_BIND_SERVICE);
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0,
        "ambient set");
}

}  // namespace upaas::host
