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
    "*** dumping internal error routing table ***",
    "*** dumping internal response routing table ***",
    "*** dumping internal final routing table ***",
    "[rule: ",
    "*** end of the internal routing table ***",
    "*** end of the internal error routing table ***",
    "*** end of the internal response routing table ***",
    "*** end of the internal final routing table ***",
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
    "DANGER: native threads do not work under ruby !!!",
    "Rack::BodyProxy successfully patched for ruby ",
    "RACK app 0 loaded in ",
    "PHP document root set to /home/app",
    "Plack::Util is not installed, using \"do\" instead of \"load_psgi\"",
    "PSGI app 0 (/home/app/",
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
    "unsubscribing from server=/home/announce/",
    "[uwsgi-daemons] spawning ",
    "[uwsgi-daemons] stopping daemon (pid: ",
    "[uwsgi-daemons] daemon did not die in time, killing (pid: ",
    "announcing my loyalty to the Emperor...",
    "graceful shutdown triggered...",
    "SIGINT/SIGTERM received...killing workers...",
    "...gracefully killing workers...",
    "...brutally killing workers...",
    "Gracefully killing worker ",
    "goodbye to uWSGI.",
    "VACUUM: ",
    "WSGI app 0 (mountpoint='') ready in ",
    "unlink(): No such file or directory [core/uwsgi.c ",
});

// What varies in the middle: beginning, a word after it, end.
struct Form {
  std::string_view beginning;
  std::string_view middle;
  std::string_view end;
};
constexpr std::array kForms = std::to_array<Form>({
    {"mapped ", " KB) for ", ""},
    {"added /home/", "", " to pythonpath."},
    {"worker ", " buried after ", " seconds"},
    {"daemon \"exec /bin/sh /home/run/", "\" (pid: ", ") annihilated"},
    {"ruby ", " revision ", "-linux-gnu]"},
    {"PHP ", "", " initialized"},
    {"initialized Perl ", " main interpreter at 0x", ""},
    // frames of uWSGI's own in what it writes of a segmentation fault
    {"/usr/bin/uwsgi-core(", "+0x", "]"},
    {"/usr/lib/uwsgi/plugins/", "+0x", "]"},
});

// "Tue Nov 24 18:46:26 2026 - ".
std::string_view without_time(std::string_view line) {
  constexpr std::size_t kTime = 24;
  const bool dated = line.size() > kTime + 3 && line[3] == ' ' && line[13] == ':' &&
                     line[16] == ':' && line.substr(kTime, 3) == " - ";
  return dated ? line.substr(kTime + 3) : line;
}

}  // namespace

bool is_uwsgi_chatter(std::string_view line) {
  const std::string_view words = without_time(line);
  return std::ranges::any_of(kBeginnings,
                             [&](std::string_view text) { return words.starts_with(text); }) ||
         std::ranges::any_of(kForms, [&](const Form& form) {
           return words.starts_with(form.beginning) && words.ends_with(form.end) &&
                  words.find(form.middle) != words.npos;
         });
}

}  // namespace upaas::deployer
