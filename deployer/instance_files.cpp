#include "deployer/instance_files.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "deployer/unasked_ends.h"
#include "deployer/vassal_ini.h"
#include "host/users.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <set>

namespace upaas::deployer {
namespace {

namespace fs = std::filesystem;
namespace inside = host::inside;
using Kind = host::Mount::Kind;

constexpr std::string_view kIniSuffix = ".ini";

std::vector<host::Mount> mounts_of(const std::string& name, const Options& options,
                                   const fs::path& tree) {
  const host::Layout& layout = options.layout;
  // Hidden first: DATA and RUN may lie below /home or /tmp, which are covered next. Sources are
  // opened before anything is mounted.
  std::vector<host::Mount> mounts = {
      {Kind::tmpfs, {}, layout.data},
      {Kind::tmpfs, {}, layout.run},
      {Kind::tmpfs, {}, "/home"},
      {Kind::bind_read_only, tree, inside::kTree},
      {Kind::bind, layout.instance_run(name), inside::kRun},
      {Kind::bind, layout.announce(name), fs::path(inside::kAnnounce).parent_path()},
      {Kind::bind_read_only, ini_file(layout, name), inside::kIni},
      {Kind::bind, layout.instance(name) / "tmp", "/tmp"},
      {Kind::bind, layout.instance(name) / "var-tmp", "/var/tmp"},
      {Kind::bind_read_only, layout.instance(name) / "passwd", "/etc/passwd"},
      {Kind::bind_read_only, layout.instance(name) / "group", "/etc/group"},
      {Kind::proc, {}, "/proc"},
  };
  // Where everybody may write, what an app left would meet the next ones.
  for (const char* shared : {"/dev/shm", "/dev/mqueue", "/run/lock"}) {
    if (fs::is_directory(shared)) {
      mounts.push_back({Kind::scratch, {}, shared});
    }
  }
  return mounts;
}

std::string command_script(const std::string& command) {
  return fmt::format("#!/bin/sh\ncd {} || exit 1\n{}\n", inside::kTree, command);
}

// uWSGI does not tell how what it runs has ended. Nothing of the app is in it.
std::string web_script() {
  return fmt::format(
      "#!/bin/sh\n"
      "# Runs the app's command, in command.sh, and says how it ended, unless it was told to.\n"
      "told=\n"
      "trap 'told=yes' TERM INT HUP\n"
      "/usr/bin/setpriv --pdeathsig KILL /bin/sh {0}/command.sh\n"
      "code=$?\n"
      "[ -z \"$told\" ] || exit $code\n"
      "if [ $code -gt 128 ]; then\n"
      "  echo \"{1}signal $((code - 128))\" >&2\n"
      "else\n"
      "  echo \"{1}exit code $code\" >&2\n"
      "fi\n"
      "exit $code\n",
      inside::kRun, kCommandEnded);
}

void collect(const fs::path& directory, std::string_view suffix, std::set<std::string>& names) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with('.') && name.ends_with(suffix)) {
      names.insert(name.substr(0, name.size() - suffix.size()));
    }
  }
}

}  // namespace

fs::path ini_file(const host::Layout& layout, std::string_view name) {
  return layout.vassals() / fmt::format("{}{}", name, kIniSuffix);
}

fs::path launch_file(const host::Layout& layout, std::string_view name) {
  return layout.instance(name) / "launch.json";
}

fs::path hits_file(const host::Layout& layout, std::string_view name) {
  return layout.instance(name) / "hits";
}

void require_file_name(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.size() > 200 || name.find('/') != name.npos ||
      name.find('\0') != name.npos) {
    throw Error(ErrorKind::invalid, "not the name of an instance");
  }
}

std::vector<std::string> all_names(const host::Layout& layout) {
  std::set<std::string> names;
  collect(layout.instances(), "", names);
  collect(layout.vassals(), kIniSuffix, names);
  return {names.begin(), names.end()};
}

host::LaunchSpec instance_launch(const Start& start, const Options& options,
                                 const host::Cgroup& cgroup, const fs::path& tree) {
  const std::string name = start.instance.id.str();
  host::LaunchSpec spec;
  spec.argv = {options.uwsgi, "--ini", std::string(inside::kIni), "--set-placeholder",
               "upaas-config=" + ini_file(options.layout, name).native()};
  spec.env_file = options.layout.instance(name) / "env0";
  spec.cgroup = cgroup.directory();
  spec.cgroup_beside = cgroup.beside();
  spec.limits = instance_limits(start.instance);
  spec.hits_file = hits_file(options.layout, name);
  spec.log = options.layout.instance_log(start.release.app.str(), name);
  spec.cwd = inside::kTree;
  spec.uid = start.instance.uid;
  spec.mounts = mounts_of(name, options, tree);
  spec.die_with_parent = true;
  spec.clear_cgroup = true;
  return spec;
}

void write_instance_files(const Start& start, const Options& options,
                          const host::LaunchSpec& launch) {
  const host::Layout& layout = options.layout;
  const std::string name = start.instance.id.str();
  const uid_t app = start.instance.uid.value;
  make_directory(launch.log.parent_path(), 0700);
  make_directory(layout.announce(), 0711);
  make_directory(layout.announce(name), 0710);  // whose it is, router-sub says
  make_directory(layout.instances(), 0711);
  make_directory(layout.instance(name), 0711);
  host::write_users(layout.instance(name), start.instance.uid);
  make_directory(layout.instance_run(name), 02710, app, options.router_gid);
  make_directory(layout.instance(name) / "tmp", 0700, app, app);
  make_directory(layout.instance(name) / "var-tmp", 0700, app, app);
  write_file(launch.env_file, vassal_environment(start, options.domain),
             {.mode = 0600, .sync = false});
  if (start.release.runtime.web) {
    write_file(layout.instance_run(name) / "command.sh", command_script(*start.release.runtime.web),
               {.mode = 0555, .sync = false});
    write_file(layout.instance_run(name) / "web.sh", web_script(), {.mode = 0555, .sync = false});
  }
  write_file(launch_file(layout, name), dump_json_pretty(host::to_json(launch)),
             {.mode = 0600, .sync = false});
}

}  // namespace upaas::deployer
