#include "host/sandbox.h"

#include "base/error.h"
#include "base/text.h"
#include "model/app_spec.h"

#include <unistd.h>

#include <algorithm>
#include <initializer_list>

namespace upaas::host {

namespace {

using Argv = std::vector<std::string>;

/// Names, TLS, dynamic linking, time and what interpreters of Debian keep there; nothing secret.
constexpr const char* kEtc[] = {
    "alternatives",    "ca-certificates.conf", "gai.conf",     "host.conf", "hosts",
    "ld.so.cache",     "ld.so.conf",           "ld.so.conf.d", "localtime", "mime.types",
    "networks",        "nsswitch.conf",        "perl",         "php",       "protocols",
    "python3",         "python3.11",           "resolv.conf",  "services",  "ssl/certs",
    "ssl/openssl.cnf",
};

/// The first process inside. It waits for the command: when the first process of a pid namespace
/// ends, the kernel kills all others and waits for them. It keeps bubblewrap's uid, because the
/// kernel lets the death of bubblewrap kill it only then.
constexpr const char* kFirstProcess = R"sh("$@"; exit $?)sh";

/// The second one, without privileges, so that no loader variable has power over more than the
/// command.
constexpr const char* kTakeEnvironment = R"sh(eval "$(cat)"; exec "$@" </dev/null)sh";

/// The same for a script, which is the last of what it is given. A shell of its own runs it, for
/// which IFS and others in the environment mean nothing, and finds it in its input.
constexpr const char* kTakeScript = R"sh(eval "$(cat)"; exec /bin/sh -c "$0" /bin/sh <<END
$1
END
)sh";
constexpr const char* kRunScript =
    R"sh(set -- "$(/bin/cat)"; exec </dev/null; set -e; eval "set --; $1")sh";

/// "DIRECTORY... -- COMMAND": every process of the command is a member from its first moment on.
constexpr const char* kJoin =
    R"sh(while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@")sh";

bool below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

void add(Argv& argv, std::initializer_list<std::string> words) {
  argv.insert(argv.end(), words.begin(), words.end());
}

/// Parents that bubblewrap makes itself are closed to all but root, so they are made open before.
void add_open_directory(Argv& argv, const std::string& directory) {
  add(argv, {"--perms", "0755", "--dir", directory});
}

void add_namespaces(Argv& argv, const Sandbox& sandbox) {
  add(argv, {"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "build",
             "--die-with-parent", "--new-session", "--as-pid-1"});
  if (!sandbox.network) argv.push_back("--unshare-net");
  add(argv, {"--clearenv", "--setenv", "PATH", "/usr/bin:/bin"});
}

void add_cgroups(Argv& argv, const Sandbox& sandbox) {
  if (sandbox.cgroups.empty()) return;
  add(argv, {"/bin/sh", "-c", kJoin, "sh"});
  for (const auto& directory : sandbox.cgroups) argv.push_back(directory.string());
  argv.push_back("--");
}

void add_machine(Argv& argv, const Sandbox& sandbox) {
  add(argv, {"--ro-bind", "/usr", "/usr"});
  for (const std::string name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    add(argv, {"--symlink", "usr/" + name, "/" + name});
  }
  add_open_directory(argv, "/etc");
  add_open_directory(argv, "/etc/ssl");
  for (const std::string name : kEtc) add(argv, {"--ro-bind-try", "/etc/" + name, "/etc/" + name});
  add(argv, {"--proc", "/proc", "--dev", "/dev"});
  // With another mode than 1777 the one breaks apt and others, the other every semaphore.
  for (const char* place : {"/tmp", "/dev/shm"}) {
    add(argv, {"--perms", "1777"});
    if (sandbox.tmp_size.value > 0) {
      add(argv, {"--size", std::to_string(sandbox.tmp_size.bytes())});
    }
    add(argv, {"--tmpfs", place});
  }
}

void add_files(Argv& argv, const Sandbox& sandbox) {
  for (const auto& [source, place] : sandbox.files) {
    const std::string text = place.string();
    std::filesystem::path directory;
    const bool climbs = std::find(place.begin(), place.end(), "..") != place.end();
    bool taken = !place.is_absolute() || climbs;
    for (const std::string& owned : {std::string(model::kAppHome), std::string("/usr"),
                                     std::string("/proc"), std::string("/dev")}) {
      taken = taken || below(text, owned);
    }
    if (taken) {
      throw Error(ErrorKind::config, "build.files: '" + text + "' cannot be a place in the sandbox",
                  "use an absolute path outside of /home/app, /usr, /proc and /dev");
    }
    for (auto parent = place.begin(), end = std::prev(place.end()); parent != end; ++parent) {
      directory /= *parent;
      if (directory != "/") add_open_directory(argv, directory.string());
    }
    add(argv, {"--ro-bind", source.string(), text});
  }
}

void add_identity(Argv& argv, const Sandbox& sandbox) {
  const std::string uid = std::to_string(sandbox.uid.value);
  add(argv, {"/usr/bin/setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--no-new-privs",
             "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--"});
}

bool is_shell_name(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::vector<std::string> sandbox_argv(const Sandbox& sandbox,
                                      const std::vector<std::string>& command) {
  const bool root = ::geteuid() == 0;
  const std::string home(model::kAppHome);
  Argv argv;
  add_cgroups(argv, sandbox);
  argv.push_back("/usr/bin/bwrap");
  add_namespaces(argv, sandbox);
  if (!root) argv.push_back("--unshare-user");
  add_machine(argv, sandbox);
  add_open_directory(argv, "/home");
  add(argv, {"--bind", sandbox.tree.string(), home});
  add_files(argv, sandbox);
  // What setpriv needs to take away the rest.
  if (root) {
    add(argv, {"--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID",
               "--cap-add", "CAP_SETPCAP"});
  }
  add(argv, {"--chdir", home, "--", "/bin/sh", "-c", kFirstProcess, "sh"});
  if (root) add_identity(argv, sandbox);
  if (sandbox.script) {
    add(argv, {"/bin/sh", "-c", kTakeScript, kRunScript});
    return argv;
  }
  add(argv, {"/bin/sh", "-c", kTakeEnvironment, "sh"});
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

std::string sandbox_input(const Sandbox& sandbox) {
  std::string text;
  for (const auto& [name, value] : sandbox.env) {
    if (!is_shell_name(name)) {
      throw Error(ErrorKind::invalid, "environment variable name '" + name + "': not [A-Za-z0-9_]");
    }
    text += "export " + name + "=" + shell_quoted(value) + "\n";
  }
  if (sandbox.script) text += "set -- " + shell_quoted(*sandbox.script) + "\n";
  return text;
}

}  // namespace upaas::host
