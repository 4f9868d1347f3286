#include "host/claims.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

namespace upaas::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kClaimLimit = 8192;  // a path and a newline

// The owner's path; empty for a file that is not a claim.
std::optional<std::string> owner_in(const fs::path& claim) {
  std::optional<std::string> text = read_file_if_any(claim, kClaimLimit);
  if (text && text->ends_with('\n')) {
    text->pop_back();
  }
  return text;
}

std::optional<std::uint32_t> number_in(std::string_view file, std::string_view kind) {
  if (!file.starts_with(kind) || file.size() <= kind.size() || file[kind.size()] != '-') {
    return std::nullopt;
  }
  const std::string_view digits = file.substr(kind.size() + 1);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return number;
}

// A claim that is ready but has no number yet; its second name is removed again.
class Draft {
 public:
  Draft(const fs::path& directory, const fs::path& owner)
      : path_(directory / (".new-" + random_name(12))) {
    write_file(path_, owner.native() + "\n", {.mode = 0600, .sync = false});
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() { ::unlink(path_.c_str()); }

  // link(2) is atomic and refuses a name that exists.
  [[nodiscard]] bool becomes(const fs::path& claim) const {
    if (::link(path_.c_str(), claim.c_str()) == 0) {
      return true;
    }
    if (errno != EEXIST) {
      throw system_error(claim.native());
    }
    return false;
  }
  void replaces(const fs::path& claim) const {
    if (::rename(path_.c_str(), claim.c_str()) != 0) {
      throw system_error(claim.native());
    }
  }

 private:
  fs::path path_;
};

}  // namespace

Claims::Claims(std::string kind, model::Range<std::uint32_t> range, fs::path owner, Options options)
    : kind_(std::move(kind)),
      range_(range),
      owner_(std::move(owner)),
      options_(std::move(options)),
      next_(range.min) {
  // /run/lock is open to all: whoever made the directory first must not keep it.
  make_directory(options_.directory, 0700, ::geteuid(), ::getegid());
}

std::optional<std::uint32_t> Claims::take() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t count = std::uint64_t{range_.max} - range_.min + 1;
  const std::vector<std::uint32_t> taken = existing();
  const Draft draft(options_.directory, owner_);
  const auto try_all = [&](auto&& attempt) -> std::optional<std::uint32_t> {
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto offset = (next_ - range_.min + i) % count;
      const auto number = static_cast<std::uint32_t>(range_.min + offset);
      if (attempt(number)) {
        next_ = number == range_.max ? range_.min : number + 1;
        return number;
      }
    }
    return std::nullopt;
  };
  const auto free = try_all([&](std::uint32_t number) {
    return !std::binary_search(taken.begin(), taken.end(), number) && draft.becomes(file(number));
  });
  return free ? free : try_all([&](std::uint32_t number) { return take_over(number); });
}

void Claims::start_after(std::uint32_t number) {
  next_ = number != range_.max && range_.contains(number) ? number + 1 : range_.min;
}

bool Claims::take(std::uint32_t number) {
  const Draft draft(options_.directory, owner_);
  return draft.becomes(file(number)) || owner_in(file(number)) == owner_.native() ||
         take_over(number);
}

void Claims::release(std::uint32_t number) {
  const FileLock lock(options_.directory / ".lock");
  if (owner_in(file(number)) == owner_.native() && ::unlink(file(number).c_str()) != 0) {
    throw system_error(file(number).native());
  }
}

std::vector<std::uint32_t> Claims::ours() const {
  std::vector<std::uint32_t> numbers = existing();
  std::erase_if(numbers, [this](std::uint32_t n) { return owner_in(file(n)) != owner_.native(); });
  return numbers;
}

fs::path Claims::file(std::uint32_t number) const {
  return options_.directory / fmt::format("{}-{}", kind_, number);
}

std::vector<std::uint32_t> Claims::existing() const {
  std::vector<std::uint32_t> numbers;
  std::error_code failed;
  for (fs::directory_iterator at(options_.directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (const auto number = number_in(at->path().filename().native(), kind_)) {
      numbers.push_back(*number);
    }
  }
  if (failed) {
    throw system_error(options_.directory.native(), failed.value());
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// The lock makes looking and replacing one step: of two who see a stale claim, one gets it.
bool Claims::take_over(std::uint32_t number) {
  const auto stale = [&] {
    const std::optional<std::string> owner = owner_in(file(number));
    std::error_code failed;
    return owner && fs::status(*owner, failed).type() == fs::file_type::not_found;
  };
  if (!stale()) {
    return false;
  }
  const FileLock lock(options_.directory / ".lock");
  if (!stale()) {
    return false;
  }
  const Draft draft(options_.directory, owner_);
  draft.replaces(file(number));
  return true;
}

bool port_is_free(model::Port port) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) {
    throw system_error("socket");
  }
  // As servers do: connections that linger in TIME_WAIT do not count.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port.value);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace upaas::host
