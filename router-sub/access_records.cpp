#include "router-sub/access_records.h"

#include "base/files.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace upaas::router_sub {
namespace {

// More than any line of ours: nginx takes 8 KB of a request line, which JSON may make six times as
// long.
constexpr std::size_t kLongestLine = std::size_t{128} << 10;
constexpr std::size_t kPiece = std::size_t{256} << 10;

/// Takes fields off the front of a line, in the order in which nginx writes them. A quote inside of
/// a value is escaped, so the first bare one ends it.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}

  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool text(std::string_view& value) {
    for (std::size_t at = 0; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        value = rest_.substr(0, at);
        rest_.remove_prefix(at + 1);
        return true;
      }
    }
    return false;
  }
  template <typename Number>
  bool number(Number& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }
  [[nodiscard]] bool over() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_error(const AccessRecord& record) {
  return !record.front.empty() && (record.status >= 500 || record.status == 404);
}

}  // namespace

std::optional<AccessRecord> read_access_record(std::string_view line) {
  AccessRecord record;
  Fields fields(line);
  double time = 0;
  double seconds = 0;
  long long bytes = 0;
  std::string_view ignored;
  const bool ours =
      fields.word(R"({"time":)") && fields.number(time) && fields.word(R"(,"host":")") &&
      fields.text(record.host) && fields.word(R"(,"status":)") && fields.number(record.status) &&
      fields.word(R"(,"upstream_status":")") && fields.text(ignored) &&
      fields.word(R"(,"seconds":)") && fields.number(seconds) && fields.word(R"(,"method":")") &&
      fields.text(record.method) && fields.word(R"(,"path":")") && fields.text(record.path) &&
      fields.word(R"(,"bytes":)") && fields.number(bytes) && fields.word(R"(,"client":")") &&
      fields.text(ignored) && fields.word(R"(,"instance":")") && fields.text(record.instance) &&
      fields.word(R"(,"front":")") && fields.text(record.front) && fields.word("}") &&
      fields.over();
  // No request takes a year; what says so is not nginx's.
  if (!ours || !(seconds >= 0 && seconds < 3.2e7)) return std::nullopt;
  record.took = std::chrono::milliseconds(static_cast<long long>(seconds * 1000));
  return record;
}

struct AccessWindow::State {
  std::filesystem::path log;
  std::set<std::string, std::less<>> hosts;
  std::chrono::milliseconds oldest;
  UniqueFd fd = {};
  std::string rest = {};  // of a line that is not whole yet
  AccessCount count = {};

  void open() { fd = UniqueFd(::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)); }

  /// Whether the file of that name is another than the one that is open.
  [[nodiscard]] bool rotated() const {
    struct stat now {};
    struct stat then {};
    if (::stat(log.c_str(), &now) != 0) return false;
    return !fd.valid() || ::fstat(fd.get(), &then) != 0 || now.st_ino != then.st_ino ||
           now.st_dev != then.st_dev;
  }

  void add(std::string_view line) {
    const auto record = read_access_record(line);
    if (!record || !hosts.contains(record->host)) return;
    ++count.total;
    if (record->status == 499) {
      ++count.client_gone;
    } else if (!is_error(*record)) {
      count.app_errors += record->status >= 500;
    } else if (record->took >= oldest) {
      ++count.cut;
    } else if (count.failed++ == 0) {
      count.first_failure =
          fmt::format("{} for {} {:.200}", record->status, record->method, record->path);
    }
  }

  void take(std::string_view bytes) {
    for (;;) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) break;
      rest.append(bytes.substr(0, end));
      add(rest);
      rest.clear();
      bytes.remove_prefix(end + 1);
    }
    if (rest.size() + bytes.size() > kLongestLine) {
      rest.clear();  // what is left of it is not a line of ours either
    } else {
      rest.append(bytes);
    }
  }

  void read_to_end() {
    std::string piece(kPiece, '\0');
    while (fd.valid()) {
      const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return;
      take({piece.data(), static_cast<std::size_t>(got)});
    }
  }
};

AccessWindow::AccessWindow(std::filesystem::path log, const std::vector<model::Domain>& domains,
                           std::chrono::milliseconds oldest)
    : state_(std::make_unique<State>(State{.log = std::move(log), .hosts = {}, .oldest = oldest})) {
  for (const auto& domain : domains) state_->hosts.insert(domain.str());
  state_->open();
  if (state_->fd.valid()) (void)::lseek(state_->fd.get(), 0, SEEK_END);
}

AccessWindow::~AccessWindow() = default;

const AccessCount& AccessWindow::read() {
  // nginx goes on with the renamed file until it has opened the new one: that one is looked at
  // last.
  const bool rotated = state_->rotated();
  state_->read_to_end();
  if (rotated) {
    state_->rest.clear();
    state_->open();
    state_->read_to_end();
  }
  return state_->count;
}

}  // namespace upaas::router_sub
