#include "base/clock.h"
#include "base/error.h"
#include "base/process.h"
#include "base/spawn.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

namespace upaas {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPiece = std::size_t{64} << 10;
// A line without an end is handed on in pieces of this size.
constexpr std::size_t kLongestLine = std::size_t{4} << 10;
// The most a pipe holds (fs.pipe-max-size): what a grandchild keeps writing after that is not
// waited for.
constexpr std::size_t kDrainLimit = std::size_t{1} << 20;
constexpr milliseconds kKillLimit = std::chrono::seconds(10);

// The newest bytes. Cut only when twice too long, so that every byte is moved about once.
class Tail {
 public:
  explicit Tail(std::size_t limit) : limit_(limit) {}
  void append(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() / 2 > limit_) {
      cut();
    }
  }
  std::string take() {
    cut();
    return std::move(text_);
  }

 private:
  void cut() { text_.erase(0, text_.size() - std::min(text_.size(), limit_)); }
  std::size_t limit_;
  std::string text_;
};

class LineSplitter {
 public:
  explicit LineSplitter(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}
  void append(std::string_view bytes) {
    while (on_line_ && !bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::size_t size = std::min({end, bytes.size(), kLongestLine - rest_.size()});
      rest_ += bytes.substr(0, size);
      bytes.remove_prefix(size == end ? size + 1 : size);
      if (size == end || rest_.size() == kLongestLine) {
        emit();
      }
    }
  }
  void finish() {
    if (on_line_ && !rest_.empty()) {
      emit();
    }
  }

 private:
  void emit() {
    std::string line = std::exchange(rest_, {});
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    on_line_(line);
  }
  const std::function<void(std::string_view)>& on_line_;
  std::string rest_;
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw system_error("pipe");
  }
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  pipe.read = above_stdio(std::move(pipe.read));
  pipe.write = above_stdio(std::move(pipe.write));
  // Only our end: the flag belongs to the open file, and the child's end is another one.
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// In memory, not in a pipe: a child that does not read cannot block us, nor kill us with SIGPIPE.
UniqueFd make_input(const std::string& input) {
  if (input.empty()) {
    return open_for_child("/dev/null", O_RDONLY);
  }
  UniqueFd fd = above_stdio(UniqueFd(::memfd_create("input", MFD_CLOEXEC)));
  std::string_view rest = input;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd.get(), rest.data(), rest.size());
    if (put < 0 && errno != EINTR) {
      throw system_error("memfd");
    }
    rest.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

class Runner {
 public:
  explicit Runner(const Command& command);
  Outcome run();

 private:
  struct Stream {
    UniqueFd fd;
    LineSplitter lines;
    bool is_stdout;
  };
  void wait_for_end();
  void escalate();
  [[nodiscard]] int poll_timeout() const;
  // False when there is nothing to read now.
  bool read_some(Stream& stream);
  void drain(Stream& stream);

  const Command& command_;
  Steady::time_point start_ = Steady::now();
  Steady::time_point next_ = start_ + command_.deadline;  // when escalate() is due
  int terminations_ = 0;                                  // signals sent: TERM, then KILL
  Outcome outcome_;
  Tail output_{command_.output_limit};
  Tail stdout_{command_.output_limit};
  UniqueFd stop_event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::array<Stream, 2> streams_;
  std::optional<Child> child_;
};

Runner::Runner(const Command& command)
    : command_(command),
      streams_{Stream{{}, LineSplitter(command.on_line), true},
               Stream{{}, LineSplitter(command.on_line), false}} {
  const UniqueFd input = make_input(command.input);
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  child_.emplace(SpawnRequest{.argv = command.argv,
                              .env = command.env,
                              .cwd = command.cwd,
                              .input = input.get(),
                              .output = out.write.get(),
                              .error = err.write.get()});
  streams_[0].fd = std::move(out.read);
  streams_[1].fd = std::move(err.read);
}

Outcome Runner::run() {
  const std::stop_callback wake(command_.stop, [this] { ::eventfd_write(stop_event_.get(), 1); });
  wait_for_end();
  for (Stream& stream : streams_) {
    drain(stream);
    stream.lines.finish();
  }
  const Ending ending = child_->reap().value_or(Ending{});
  outcome_.exit_code = ending.exit_code;
  outcome_.signal = ending.signal;
  outcome_.output = output_.take();
  outcome_.stdout_only = stdout_.take();
  outcome_.took = std::chrono::duration_cast<milliseconds>(Steady::now() - start_);
  return std::move(outcome_);
}

void Runner::wait_for_end() {
  while (true) {
    std::array<pollfd, 4> waits{{{streams_[0].fd.get(), POLLIN, 0},
                                 {streams_[1].fd.get(), POLLIN, 0},
                                 {child_->pidfd(), POLLIN, 0},
                                 {terminations_ == 0 ? stop_event_.get() : -1, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), poll_timeout()) < 0 && errno != EINTR) {
      throw system_error("poll");
    }
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (waits[i].revents != 0) {
        read_some(streams_[i]);
      }
    }
    if (waits[2].revents != 0) {
      return;
    }
    if (waits[3].revents != 0) {
      outcome_.stopped = true;
      escalate();
    } else if (Steady::now() >= next_) {
      outcome_.timed_out = outcome_.timed_out || terminations_ == 0;
      escalate();
    }
  }
}

void Runner::escalate() {
  if (terminations_ == 2) {
    throw Error(ErrorKind::internal,
                fmt::format("{}: still there after SIGKILL", command_.argv.front()));
  }
  child_->signal_group(terminations_ == 0 ? SIGTERM : SIGKILL);
  next_ = Steady::now() + (terminations_ == 0 ? command_.grace : kKillLimit);
  ++terminations_;
}

int Runner::poll_timeout() const {
  const auto left = std::chrono::ceil<milliseconds>(next_ - Steady::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, std::numeric_limits<int>::max()));
}

bool Runner::read_some(Stream& stream) {
  std::array<char, kPiece> piece;
  const ssize_t got = ::read(stream.fd.get(), piece.data(), piece.size());
  if (got <= 0) {
    if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      stream.fd.reset();
    }
    return false;
  }
  const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
  output_.append(bytes);
  if (stream.is_stdout) {
    stdout_.append(bytes);
  }
  stream.lines.append(bytes);
  return true;
}

void Runner::drain(Stream& stream) {
  for (std::size_t i = 0; i < kDrainLimit / kPiece && stream.fd.valid(); ++i) {
    if (!read_some(stream)) {
      return;
    }
  }
}

}  // namespace

std::string Outcome::describe() const {
  if (stopped) {
    return "stopped on request";
  }
  if (timed_out) {
    const double seconds = static_cast<double>(took.count()) / 1000;
    return seconds < 10 ? fmt::format("stopped after {:.1f} s", seconds)
                        : fmt::format("stopped after {:.0f} s", seconds);
  }
  if (signal != 0) {
    return fmt::format("killed by signal {}", signal);
  }
  return fmt::format("exit code {}", exit_code);
}

namespace {
// Of a line without an end.
constexpr std::size_t kLineShown = 1000;
}  // namespace

std::vector<std::string> Outcome::last_lines(std::size_t count) const {
  std::string_view rest = output;
  if (rest.ends_with('\n')) {
    rest.remove_suffix(1);
  }
  std::vector<std::string> lines;
  bool more = !output.empty();
  while (more && lines.size() < count) {
    const std::size_t start = rest.rfind('\n');
    more = start != std::string_view::npos;
    std::string line(rest.substr(more ? start + 1 : 0));
    if (line.size() > kLineShown) {
      line.resize(kLineShown);
      line += "...";
    }
    lines.push_back(std::move(line));
    rest = rest.substr(0, more ? start : 0);
  }
  std::reverse(lines.begin(), lines.end());
  return lines;
}

Outcome run(const Command& command) {
  return Runner(command).run();
}

}  // namespace upaas
