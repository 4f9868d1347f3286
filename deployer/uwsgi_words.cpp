#include "deployer/uwsgi_words.h"

#include <algorithm>
#include <array>

namespace upaas::deployer {
namespace {

constexpr std::array kBeginnings = std::to_array<std::string_view>({
    "*** has_emperor mode detected",
    "[uWSGI] getting INI configuration from ",
    "[uwsgi-static] added ",
    "*** Starting uWSGI ",
    "compiled with version: ",
    "os: Linux-",
    "nodename: ",
    "machine: x86_64",
    "machine: aarch64",
    "clock source: ",
    "pcre jit ",
    "detected number of CPU cores: ",
    "current working directory: ",
    "detected binary path: ",
    "*** dumping internal routing table ***",
    "[rule: ",
    "*** end of the internal routing table ***",
    "chdir() to /home/",
    "your processes number limit is ",
    "your memory page size is ",
    "detected max file descriptor number: ",
    "building mime-types dictionary from file ",
    "lock engine: ",
    "thunder lock: ",
    "uwsgi socket ",
    "Python version: ",
    "Python main interpreter initialized at ",
    "python threads support enabled",
    "PEP 405 virtualenv detected: ",
    "Set PythonHome to ",
    "your server socket listen backlog is limited to ",
    "your mercy for graceful operations on workers is ",
    "setting request body buffering size to ",
    "*** Operational MODE: ",
    "*** no app loaded. ",
    "*** uWSGI is running in multiple interpreter mode ***",
    "!!!!!!!!!!!!!! WARNING !!!!!!!!!!!!!!",
    "no request plugin is loaded, you will not be able to manage requests.",
    "you may need to install the package for your language of choice, ",
    "!!!!!!!!!!! END OF WARNING !!!!!!!!!!",
    "spawned uWSGI ",
    "spawned 1 offload threads for uWSGI worker",
    "spawned 2 offload threads for uWSGI worker",
    "*** Stats server enabled on ",
    "subscribing to server=/home/announce/",
    "[uwsgi-daemons] spawning ",
    "announcing my loyalty to the Emperor...",
    "VACUUM: ",
    "WSGI app 0 (mountpoint='') ready in ",
    "unlink(): No such file or directory [core/uwsgi.c ",
});

}  // namespace

bool is_uwsgi_chatter(std::string_view line) {
  return std::ranges::any_of(
             kBeginnings,
             [&](std::string_view beginning) { return line.starts_with(beginning); }) ||
         (line.starts_with("mapped ") && line.find(" KB) for ") != line.npos) ||
         (line.starts_with("added /home/") && line.ends_with(" to pythonpath."));
}

}  // namespace upaas::deployer
