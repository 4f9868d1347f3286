#include "daemon/jobs.h"

#include "base/error.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

namespace upaas::daemon {

class Jobs::Job {
 public:
  explicit Job(const Options& options) : options_(options) {}

  void add(std::string line) {
    const std::lock_guard lock(mutex);
    bytes_ += line.size();
    lines.push_back(std::move(line));
    while (lines.size() > 1 &&
           (lines.size() > options_.lines_kept || bytes_ > options_.bytes_kept)) {
      bytes_ -= lines.front().size();
      lines.pop_front();
      ++first;
    }
    changed.notify_all();
  }

  void end() {
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> lines;
  std::size_t first = 0;  // number of lines dropped before lines[0]
  bool ended = false;
  std::jthread thread;

 private:
  Options options_;
  std::size_t bytes_ = 0;
};

struct Jobs::State {
  Options options;
  std::mutex mutex;
  std::list<std::shared_ptr<Job>> jobs;
  bool stopped = false;

  void reap() {
    jobs.remove_if([](const std::shared_ptr<Job>& job) {
      const std::lock_guard lock(job->mutex);
      return job->ended;
    });
  }
};

Jobs::Jobs(Options options) : state_(std::make_unique<State>()) {
  state_->options = options;
}
Jobs::~Jobs() {
  stop();
}

std::shared_ptr<Jobs::Job> Jobs::start(std::function<void(const Write&, std::stop_token)> work) {
  const std::lock_guard lock(state_->mutex);
  if (state_->stopped) throw Error(ErrorKind::unreachable, "the server is stopping");
  state_->reap();
  if (state_->jobs.size() >= static_cast<std::size_t>(state_->options.at_once)) {
    throw Error(ErrorKind::no_capacity, "too many deploys run at once",
                "try again when one has ended");
  }
  auto job = std::make_shared<Job>(state_->options);
  // The thread holds the job, and the list does: who leaves last must not be the thread itself.
  job->thread = std::jthread([raw = job.get(), work = std::move(work)](std::stop_token stop) {
    work([raw](std::string line) { raw->add(std::move(line)); }, stop);
    raw->end();
  });
  state_->jobs.push_back(job);
  return job;
}

bool Jobs::follow(Job& job, const std::function<bool(std::string_view)>& take,
                  const std::function<bool()>& beat) {
  std::size_t next = 0;
  std::unique_lock lock(job.mutex);
  for (;;) {
    next = std::max(next, job.first);
    if (next - job.first < job.lines.size()) {
      const std::string line = job.lines[next - job.first];
      ++next;
      lock.unlock();
      if (!take(line)) return false;
      lock.lock();
      continue;
    }
    if (job.ended) return true;
    const bool news = job.changed.wait_for(lock, std::chrono::seconds(10), [&] {
      return job.ended || next < job.first + job.lines.size();
    });
    if (!news) {
      lock.unlock();
      if (!beat()) return false;
      lock.lock();
    }
  }
}

void Jobs::stop() {
  std::list<std::shared_ptr<Job>> jobs;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
    jobs.swap(state_->jobs);
  }
  for (const auto& job : jobs) job->thread.request_stop();
  for (const auto& job : jobs) {
    if (job->thread.joinable()) job->thread.join();
  }
}

}  // namespace upaas::daemon
