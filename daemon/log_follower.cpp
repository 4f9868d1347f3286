#include "daemon/log_follower.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "control/story.h"
#include "deployer/uwsgi_words.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace upaas::daemon {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10;  // longer ones are sent in parts
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr auto kBeat = std::chrono::seconds(5);

}  // namespace

LogFollower::LogFollower(control::Platform& platform, const model::AppName& app,
                         const std::string& instance)
    : directory_(platform.options.layout.logs() / app.str()), only_(instance) {
  (void)control::known_app(platform, app);
  const auto id = model::InstanceId::from(only_);
  if (!only_.empty() && (!id || id->app() != app)) {
    throw Error(ErrorKind::not_found, app.str() + " has no instance " + only_.substr(0, 80),
                "`upaas ps` lists them");
  }
  look_for_files(true);
  if (!only_.empty() && sources_.empty()) {
    throw Error(ErrorKind::not_found, only_ + " has no log", "`upaas ps` lists what runs");
  }
}

void LogFollower::look_for_files(bool from_start) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, none)) {
    const auto& path = entry.path();
    const std::string name = path.stem().string();
    if (path.extension() != ".log" || (!only_.empty() && name != only_) || sources_.contains(name))
      continue;
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) continue;
    sources_[name] = {.offset = from_start ? static_cast<std::uint64_t>(status.st_size) : 0,
                      .inode = status.st_ino,
                      .partial = {}};
  }
}

bool LogFollower::tail(std::size_t lines, const Write& write) {
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> by_age;
  std::error_code none;
  for (const auto& [name, source] : sources_) {
    by_age.emplace_back(std::filesystem::last_write_time(directory_ / (name + ".log"), none), name);
  }
  std::sort(by_age.begin(), by_age.end());
  std::vector<std::pair<std::string, std::string>> found;
  for (auto newest = by_age.rbegin(); newest != by_age.rend() && found.size() < lines; ++newest) {
    UniqueFd fd(
        open((directory_ / (newest->second + ".log")).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid()) continue;
    const std::uint64_t end = sources_[newest->second].offset;
    const std::uint64_t begin = end > (std::uint64_t{4} << 20) ? end - (std::uint64_t{4} << 20) : 0;
    std::string text(end - begin, '\0');
    const auto got = pread(fd.get(), text.data(), text.size(), static_cast<off_t>(begin));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    std::vector<std::string> whole;
    for (std::size_t at = 0; at < text.size();) {
      const auto stop = std::min(text.find('\n', at), text.size());
      whole.push_back(text.substr(at, stop - at));
      at = stop + 1;
    }
    std::erase_if(whole, [](const std::string& line) { return deployer::is_uwsgi_chatter(line); });
    for (auto line = whole.rbegin(); line != whole.rend() && found.size() < lines; ++line) {
      found.emplace_back(newest->second, *line);
    }
  }
  return std::all_of(found.rbegin(), found.rend(),
                     [&](const auto& line) { return write(line.first, line.second); });
}

bool LogFollower::read_new(const std::string& name, Source& source, const Write& write,
                           bool& wrote) {
  UniqueFd fd(open((directory_ / (name + ".log")).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0) return true;
  // Trimmed in place, or made anew: begin at its beginning.
  if (status.st_ino != source.inode || static_cast<std::uint64_t>(status.st_size) < source.offset) {
    source = {.offset = 0, .inode = status.st_ino, .partial = {}};
  }
  char buffer[65536];
  for (ssize_t got;
       (got = pread(fd.get(), buffer, sizeof buffer, static_cast<off_t>(source.offset))) > 0;) {
    source.offset += static_cast<std::uint64_t>(got);
    source.partial.append(buffer, static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (std::size_t end; (end = source.partial.find('\n', at)) != std::string::npos;
         at = end + 1) {
      const std::string line = source.partial.substr(at, end - at);
      if (deployer::is_uwsgi_chatter(line)) continue;
      if (!write(name, line)) return false;
      wrote = true;
    }
    source.partial.erase(0, at);
    if (source.partial.size() > kLongestLine) {
      if (!write(name, source.partial)) return false;
      source.partial.clear();
    }
  }
  return true;
}

void LogFollower::follow(const Write& write, const std::function<bool()>& beat,
                         const std::stop_token& stop) {
  auto last = Steady::now();
  while (!stop.stop_requested()) {
    look_for_files(false);
    bool wrote = false;
    for (auto& [name, source] : sources_) {
      if (!read_new(name, source, write, wrote)) return;
    }
    if (wrote) last = Steady::now();
    if (Steady::now() - last > kBeat) {
      if (!beat()) return;
      last = Steady::now();
    }
    pause_for(kLook, stop);
  }
}

}  // namespace upaas::daemon
