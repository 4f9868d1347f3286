#include "control/probe.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/http_client.h"

#include <fmt/core.h>

#include <condition_variable>
#include <mutex>

namespace upaas::control {

Probe::Probe(ProbeOptions options, const model::Domain& domain)
    : thread_([this, options = std::move(options),
               host = domain.str()](const std::stop_token& stop) { run(stop, options, host); }) {}

ProbeCount Probe::finish() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return *count_.lock();
}

void Probe::run(const std::stop_token& stop, const ProbeOptions& options, const std::string& host) {
  HttpClient client(fmt::format("http://{}:{}", options.host, options.port.value));
  while (!stop.stop_requested()) {
    std::string failure;
    bool counted = true;
    bool broken = false;
    try {
      const auto answer = client.send({.target = options.path,
                                       .headers = {{"Host", host}, {"User-Agent", "upaas-probe"}},
                                       .limit = std::chrono::seconds(10),
                                       .stop = stop});
      if (answer.status >= 500 && answer.headers.contains("x-upaas-front")) {
        failure = fmt::format("the front answered {}", answer.status);
      } else if (answer.status == 404 && answer.headers.contains("x-upaas-front")) {
        failure = "the front did not know the app";
      }
    } catch (const Error& error) {
      // A slow answer is the app's own affair, and a request cut by our own end was never answered.
      if (error.kind() == ErrorKind::timeout || error.kind() == ErrorKind::interrupted)
        counted = false;
      failure = error.message();
      broken = true;
    }
    if (counted && failure.empty()) expected_ = true;
    if (counted && expected_) {
      auto count = count_.lock();
      ++count->total;
      if (!failure.empty()) {
        if (count->failed++ == 0) count->first_failure = failure;
        count->broken += broken;
      }
    }
    pause_for(options.pause, stop);
  }
}

}  // namespace upaas::control
