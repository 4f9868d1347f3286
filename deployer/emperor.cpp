#include "deployer/emperor.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/unix_socket.h"
#include "deployer/deployer.h"

#include <nlohmann/json.hpp>

#include <signal.h>

#include <filesystem>

namespace upaas::deployer {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::string_view kIniSuffix = ".ini";
constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fs::path wrapper_link(const host::Layout& layout) {
  return layout.emperor() / "upaas-vassal";
}
fs::path stats_socket(const host::Layout& layout) {
  return layout.emperor() / "stats.sock";
}

// The Emperor changes into its vassals' directory, and the path of a socket ends at 107 bytes: so
// the stats socket is named from there.
host::LaunchSpec emperor_spec(const host::Layout& layout, const fs::path& uwsgi) {
  host::LaunchSpec spec;
  spec.argv = {uwsgi,
               "--emperor",
               layout.vassals(),
               "--emperor-wrapper",
               wrapper_link(layout),
               "--emperor-broodlord",
               "10000",
               "--emperor-on-demand-extension",
               ".socket",
               "--emperor-freq",
               "1",
               "--emperor-graceful-shutdown",
               "--emperor-stats",
               "../stats.sock",
               "--die-on-term"};
  spec.env_file = layout.emperor() / "env0";
  spec.cwd = layout.emperor();
  spec.mask = 077;
  return spec;
}

}  // namespace

std::map<std::string, VassalStats> vassal_stats_from_json(std::string_view text) {
  std::map<std::string, VassalStats> vassals;
  const auto entry = [&](const Json& item) -> VassalStats* {
    const std::string id = get_string(item, "id");
    return id.ends_with(kIniSuffix) ? &vassals[id.substr(0, id.size() - kIniSuffix.size())]
                                    : nullptr;
  };
  const Json stats = parse_json(text, "Emperor stats", std::size_t{64} << 20);
  for (const Json& item : get_array(stats, "vassals")) {
    if (VassalStats* vassal = entry(item)) {
      vassal->listed = true;
      vassal->pid = static_cast<pid_t>(std::max(0LL, get_int(item, "pid")));
      vassal->accepting = get_int(item, "accepting") != 0 && get_int_or(item, "cursed", 0) == 0;
      if (const long long seconds = get_int_or(item, "last_run", 0); seconds > 0) {
        vassal->since = WallTime(std::chrono::seconds(seconds));
      }
    }
  }
  for (const Json& item : get_array(stats, "blacklist")) {
    if (VassalStats* vassal = entry(item)) {
      vassal->blacklisted = true;
      if (const long long seconds = get_int_or(item, "last_attempt", 0); seconds > 0) {
        vassal->crashed = WallTime(std::chrono::seconds(seconds));
      }
    }
  }
  return vassals;
}

Emperor::Emperor(const Options& options, const host::CgroupRoot& cgroups)
    : layout_(options.layout),
      launcher_(options.launcher),
      uwsgi_(options.uwsgi),
      process_("emperor", options.layout.emperor(), options.launcher, cgroups.group("emperor")) {}

void Emperor::point_wrapper() const {
  const fs::path link = wrapper_link(layout_);
  std::error_code failed;
  if (fs::read_symlink(link, failed) == launcher_ && !failed) {
    return;
  }
  const fs::path fresh = layout_.emperor() / (".upaas-vassal." + random_name(8));
  fs::create_symlink(launcher_, fresh);
  fs::rename(fresh, link);
}

bool Emperor::ensure() {
  make_directory(layout_.emperor(), 0700);
  make_directory(layout_.vassals(), 0700);
  point_wrapper();
  if (running()) {
    return false;
  }
  std::string env;
  env.append("PATH=").append(kPath).push_back('\0');
  env.append("UPAAS_RUN=").append(layout_.run.native()).push_back('\0');
  write_file(layout_.emperor() / "env0", env, {.mode = 0600, .sync = false});
  return process_.ensure(emperor_spec(layout_, uwsgi_), SIGKILL);
}

void Emperor::stop(milliseconds limit) {
  process_.stop(SIGTERM, limit);
}

std::optional<std::map<std::string, VassalStats>> Emperor::ask(milliseconds limit) const {
  const std::optional<std::string> text = read_stats(stats_socket(layout_), limit);
  if (!text || text->empty()) {
    return std::nullopt;
  }
  return vassal_stats_from_json(*text);
}

}  // namespace upaas::deployer
