/// The HTTP API (wire/api.h lists the endpoints): who may, which verb, JSON in and out. Every
/// request but over the unix socket from root needs the admin token as a bearer.
#pragma once

#include "daemon/http_server.h"
#include "daemon/service.h"

#include <atomic>

namespace upaas::daemon {

class Api {
 public:
  Api(Service& service, std::string version) : service_(service), version_(std::move(version)) {}
  /// Answers one request. Errors become `upaas.error/v1` with the status of their kind.
  void handle(const Call& call, Reply& reply);
  /// Ends streams that wait for something to happen.
  void stop() { stopping_.request_stop(); }

 private:
  void route(const Call& call, Reply& reply);
  void app_route(const Call& call, Reply& reply);
  void deploy(const Call& call, Reply& reply, const model::AppName& app);
  void change(const Call& call, Reply& reply, const model::AppName& app, const std::string& verb);
  void switch_app(const Call& call, Reply& reply, const model::AppName& app,
                  const std::string& verb);
  void collect(const Call& call, Reply& reply);
  void upload(const Call& call, Reply& reply, store::BundleFiles& files);
  void events(const Call& call, Reply& reply);
  void logs(const Call& call, Reply& reply, const model::AppName& app);
  void follow(Jobs::Job& job, Reply& reply);
  [[nodiscard]] std::string caller(const Call& call) const;

  Service& service_;
  std::string version_;
  std::stop_source stopping_;
  std::atomic<int> followers_ = 0;
};

}  // namespace upaas::daemon
