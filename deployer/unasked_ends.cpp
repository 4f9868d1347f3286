#include "deployer/unasked_ends.h"

#include "base/text.h"
#include "deployer/log_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace upaas::deployer {
namespace {

constexpr std::size_t kMost = std::size_t{64} << 10;
constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kLongestRequest = 120;
constexpr std::size_t kMostRemembered = 64;

/// What stands between two texts, the first of which may be anywhere.
std::optional<std::string_view> between(std::string_view line, std::string_view before,
                                        std::string_view after) {
  const std::size_t at = line.find(before);
  if (at == line.npos) {
    return std::nullopt;
  }
  line.remove_prefix(at + before.size());
  const std::size_t end = line.find(after);
  return end == line.npos ? std::nullopt : std::optional(line.substr(0, end));
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
}

/// Method and path: what follows a `?` may be a secret.
std::string shown_request(std::string_view request) {
  request = request.substr(0, std::min(request.find('?'), kLongestRequest));
  return printable(request);
}

}  // namespace

void UnaskedEnds::read_line(std::string_view line, std::vector<std::string>& ends) {
  if (line.starts_with(kCommandEnded)) {
    const std::string how = shown_request(line.substr(kCommandEnded.size()));
    ends.push_back("its command ended with " + how);
  } else if (const auto pid = between(line, "!!! uWSGI process ", " got Segmentation Fault !!!")) {
    if (segfaults_.size() < kMostRemembered) segfaults_.emplace(*pid);
  } else if (const auto worker = between(line, "*** HARAKIRI ON WORKER ", " (pid: ")) {
    if (is_number(*worker)) harakiri_[in_harakiri_ = *worker] = "";
  } else if (const auto core = between(line, " - HARAKIRI [core ", " since ")) {
    const std::size_t request = core->find(" - ");
    if (!in_harakiri_.empty() && request != core->npos)
      harakiri_[in_harakiri_] = shown_request(core->substr(request + 3));
  } else if (line.starts_with("DAMN ! worker ")) {
    const auto number = between(line, "DAMN ! worker ", " (pid: ");
    const auto process = between(line, " (pid: ", ") died");
    if (!number || !process || !is_number(*number)) return;
    std::string text = fmt::format("worker {} ", *number);
    const auto signal = between(line, "killed by signal ", " ");
    if (const auto late = harakiri_.find(*number); late != harakiri_.end()) {
      text += "was ended by harakiri";
      if (!late->second.empty()) text += " in " + late->second;
      harakiri_.erase(late);
    } else if (segfaults_.erase(std::string(*process)) > 0) {
      text += "died of a segmentation fault";
    } else if (signal && is_number(*signal)) {
      text += fmt::format("died of signal {}", *signal);
    } else {
      text += "ended by itself";
    }
    ends.push_back(std::move(text));
  }
}

std::vector<std::string> UnaskedEnds::read(std::string_view text) {
  std::vector<std::string> ends;
  partial_ += text;
  std::string_view rest = partial_;
  for (std::size_t end = 0; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
    read_line(rest.substr(0, end), ends);
  }
  partial_ = std::string(rest.substr(0, kLongestLine));
  return ends;
}

std::vector<std::string> LogNews::look(const std::string& instance,
                                       const std::filesystem::path& log, bool from_start) {
  const std::uint64_t size = log_size(log);
  const auto [entry, fresh] = seen_.try_emplace(instance);
  Seen& seen = entry->second;
  if (fresh && !from_start) seen.offset = size;
  if (size < seen.offset) seen = {};  // it was trimmed
  if (size == seen.offset) return {};
  seen.offset = std::max(seen.offset, size - std::min<std::uint64_t>(size, kMost));
  const std::string text = read_log(log, seen.offset, size - seen.offset);
  seen.offset += text.size();
  return seen.ends.read(text);
}

void LogNews::keep(const std::set<std::string, std::less<>>& instances) {
  std::erase_if(seen_, [&](const auto& entry) { return !instances.contains(entry.first); });
}

}  // namespace upaas::deployer
