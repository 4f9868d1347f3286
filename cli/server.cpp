#include "cli/server.h"

#include "base/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

namespace upaas::cli {
namespace {

std::string value_or(const Environment& env, const std::string& name, std::string otherwise) {
  const auto found = env.find(name);
  return found == env.end() || found->second.empty() ? std::move(otherwise) : found->second;
}

std::vector<std::string> split_urls(const std::string& text) {
  std::vector<std::string> urls;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string url = text.substr(begin, end - begin);
    url.erase(0, url.find_first_not_of(' '));
    url.erase(url.find_last_not_of(' ') + 1);
    if (!url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with("unix:/")) {
      throw Error(ErrorKind::invalid, fmt::format("UPAAS_URL: '{:.80}' is not an address", url),
                  "http://HOST:PORT, https://HOST:PORT or unix:/PATH");
    }
    urls.push_back(std::move(url));
    begin = end + 1;
  }
  return urls;
}

/// What the server says with a status of 400 and above; a proxy in between may say something else.
Error error_of(const HttpAnswer& answer, const std::string& url) {
  Error error(answer.status == 401   ? ErrorKind::auth
              : answer.status == 404 ? ErrorKind::not_found
                                     : ErrorKind::internal,
              fmt::format("{} answered with status {}", url, answer.status));
  try {
    error = wire::error_from_json(parse_json(answer.body, "answer"));
  } catch (const Error&) {
    // Not one of ours.
    if (error.kind() != ErrorKind::auth) {
      return {ErrorKind::unreachable,
              fmt::format("{} is not the API of upaasd: it answered with status {}", url, answer.status),
              "UPAAS_URL takes the address of `listen` in the server's configuration (port 8700 "
              "unless changed), not that of the apps"};
    }
  }
  if (error.kind() == ErrorKind::auth && error.hint().empty()) {
    error.with_hint(
        "export UPAAS_TOKEN=...; the administrator's is in DATA/admin.token on the server");
  }
  return error;
}

}  // namespace

ServerAddress server_address(const Environment& env, const std::filesystem::path& socket) {
  const bool usable = ::access(socket.c_str(), R_OK | W_OK) == 0;
  const std::string local = usable ? "unix:" + socket.native() : "http://127.0.0.1:8700";
  return {split_urls(value_or(env, "UPAAS_URL", local)), value_or(env, "UPAAS_TOKEN", "")};
}

HttpAnswer Server::send_to_first(const HttpRequest& request) {
  if (client_) return client_->send(request);
  std::string reasons;
  for (const std::string& url : address_.urls) {
    HttpClient client(url);
    try {
      HttpAnswer answer = client.send(request);
      client_ = std::move(client);
      return answer;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unreachable) throw;
      reasons += (reasons.empty() ? "" : "; ") + error.message();
    }
  }
  if (reasons.find("Permission denied") != std::string::npos) {
    throw Error(ErrorKind::unreachable, "the server cannot be asked: " + reasons,
                "the socket is for root; others: export UPAAS_URL=http://127.0.0.1:8700 "
                "UPAAS_TOKEN=...");
  }
  if (reasons.find("no TLS there") != std::string::npos) {
    throw Error(ErrorKind::unreachable, "the server does not answer: " + reasons,
                "try http:// in UPAAS_URL");
  }
  throw Error(ErrorKind::unreachable, "the server does not answer: " + reasons,
              "is it running? Start it as root: upaasd (in a clone: script/quickstart). "
              "Is it elsewhere? export UPAAS_URL=http://HOST:8700");
}

void Server::authorise(HttpRequest& request) const {
  if (!address_.token.empty()) request.headers["Authorization"] = "Bearer " + address_.token;
}

HttpAnswer Server::send(HttpRequest request) {
  authorise(request);
  HttpAnswer answer = send_to_first(request);
  if (answer.status >= 400 && request.method != "HEAD") throw error_of(answer, client_->base());
  return answer;
}

Json Server::get(const std::string& target) {
  return parse_json(send({.target = target}).body, "answer");
}

bool Server::has(const std::string& target) {
  const HttpAnswer answer = send({.method = "HEAD", .target = target});
  if (answer.status >= 400 && answer.status != 404) throw error_of(answer, client_->base());
  return answer.status < 400;
}

void Server::put(const std::string& target, const std::filesystem::path& file,
                 std::stop_token stop) {
  send({.method = "PUT",
        .target = target,
        .headers = {{"Content-Type", "application/gzip"}},
        .upload = file,
        .limit = std::chrono::hours(1),
        .stop = std::move(stop)});
}

void Server::stream(HttpRequest request, wire::StreamReader& reader) {
  bool told = false;  // what ended it came from the server, not from the connection
  request.limit = {};
  request.on_body = [&](std::string_view piece) {
    try {
      reader.feed(piece);
    } catch (...) {
      told = true;
      throw;
    }
  };
  authorise(request);
  HttpAnswer answer;
  try {
    answer = send_to_first(request);
  } catch (const Error& error) {
    if (told || error.kind() != ErrorKind::internal) throw;
    throw Error(ErrorKind::unreachable, "the connection broke: " + error.message(),
                "the work may go on: upaas ps, upaas events");
  }
  if (answer.status >= 400) throw error_of(answer, client_->base());
}

}  // namespace upaas::cli
