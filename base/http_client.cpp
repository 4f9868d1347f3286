#include "base/http_client.h"

#include "base/error.h"
#include "base/files.h"
#include "base/unix_socket.h"

#include <curl/curl.h>
#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace upaas {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::size_t kHeaderLimit = std::size_t{256} << 10;

CURL* make_handle() {
  // Once in the life of the program, before the first handle (libcurl's global init is not
  // thread-safe).
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL* handle = initialised == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle == nullptr) {
    throw Error(ErrorKind::internal, "libcurl cannot be set up");
  }
  return handle;
}

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void check_text(std::string_view what, std::string_view text) {
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') {
      throw Error(ErrorKind::invalid, fmt::format("{}: a line break or NUL byte in it", what));
    }
  }
}

void append_header(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) {
    throw Error(ErrorKind::internal, "out of memory");
  }
  static_cast<void>(list.release());
  list.reset(longer);
}

HeaderList header_list(const HttpRequest& request) {
  HeaderList list;
  // No waiting for "100 Continue", and no type that the caller did not give.
  append_header(list, "Expect:");
  append_header(list, "Content-Type:");
  for (const auto& [name, value] : request.headers) {
    check_text(fmt::format("header {:.40}", name), name + value);
    // libcurl sends a header without a value only when it ends in a semicolon.
    append_header(list, value.empty() ? name + ";" : name + ": " + value);
  }
  return list;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// One exchange: what libcurl's callbacks work on. Nothing may be thrown through libcurl, so the
// first exception is kept and thrown afterwards.
struct Exchange {
  const HttpRequest& request;
  CURL* handle;
  HttpAnswer answer;
  UniqueFd upload;
  std::size_t header_bytes = 0;
  std::exception_ptr failure;

  template <typename Action>
  bool guarded(Action action) {
    try {
      action();
      return true;
    } catch (...) {
      failure = std::current_exception();
      return false;
    }
  }

  void take_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kHeaderLimit) {
      throw Error(ErrorKind::invalid, "the headers of the answer are too long");
    }
    if (line.starts_with("HTTP/")) {
      answer.headers.clear();  // those before came with a 100 Continue
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      answer.headers[lower(trim(line.substr(0, colon)))] = trim(line.substr(colon + 1));
    }
  }

  void take_body(std::string_view piece) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (request.on_body && status >= 200 && status < 300) {
      request.on_body(piece);
      return;
    }
    if (answer.body.size() + piece.size() > request.answer_limit) {
      throw Error(ErrorKind::invalid,
                  fmt::format("the answer is longer than {} bytes", request.answer_limit));
    }
    answer.body += piece;
  }
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  return exchange.guarded([&] { exchange.take_header({data, size * count}); }) ? size * count : 0;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  return exchange.guarded([&] { exchange.take_body({data, size * count}); }) ? size * count : 0;
}

std::size_t on_upload(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const ssize_t got = ::read(exchange.upload.get(), data, size * count);
  return got < 0 ? CURL_READFUNC_ABORT : static_cast<std::size_t>(got);
}

// libcurl goes back to the start when a kept connection turns out to be dead.
int on_seek(void* user, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(user);
  const bool done = ::lseek(exchange.upload.get(), offset, origin) >= 0;
  return done ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->request.stop.stop_requested() ? 1 : 0;
}

void set_upload(CURL* handle, Exchange& exchange) {
  const std::filesystem::path& path = exchange.request.upload;
  exchange.upload.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status {};
  if (!exchange.upload.valid() || ::fstat(exchange.upload.get(), &status) != 0) {
    throw system_error(path.native());
  }
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(status.st_size));
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_upload);
  curl_easy_setopt(handle, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(handle, CURLOPT_SEEKDATA, &exchange);
}

void set_method(CURL* handle, Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  const bool wants_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  check_text("HTTP method", request.method);
  if (!request.upload.empty()) {
    set_upload(handle, exchange);
  } else if (wants_body || !request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  } else if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_limits(CURL* handle, const HttpRequest& request) {
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_limit.count()));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
}

void set_trust(CURL* handle) {
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // nothing from the environment
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "upaas");
}

void set_callbacks(CURL* handle, Exchange& exchange, char* reason) {
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
}

// Whether the request went out: before that, running out of time means that nobody answers.
bool was_connected(CURL* handle) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

// curl names the host of the URL, which a unix socket has not.
std::string why_not(const std::string& where, std::string_view reason) {
  if (!where.starts_with(kUnix)) {
    return std::string(reason);
  }
  const std::string path = where.substr(kUnix.size());
  if (::access(path.c_str(), W_OK) != 0) {
    return std::error_code(errno, std::generic_category()).message();
  }
  return "nobody accepts";
}

Error error_of(CURLcode code, CURL* handle, const std::string& where, std::string_view reason) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
      return {ErrorKind::unreachable,
              fmt::format("{}: nobody listens ({})", where, why_not(where, reason))};
    case CURLE_SSL_CONNECT_ERROR:
      return {ErrorKind::unreachable, fmt::format("{}: no TLS there ({})", where, reason)};
    case CURLE_OPERATION_TIMEDOUT:
      // A server that does not speak TLS waits for more, as the client does.
      if (reason.find("SSL") != reason.npos)
        return {ErrorKind::unreachable, fmt::format("{}: no TLS there ({})", where, reason)};
      return {was_connected(handle) ? ErrorKind::timeout : ErrorKind::unreachable,
              fmt::format("{}: {}", where, reason)};
    case CURLE_ABORTED_BY_CALLBACK:
      return {ErrorKind::interrupted, fmt::format("{}: interrupted", where)};
    case CURLE_GOT_NOTHING:
      return {ErrorKind::internal, fmt::format("{}: empty reply", where)};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return {ErrorKind::internal, fmt::format("{}: connection reset ({})", where, reason)};
    case CURLE_PARTIAL_FILE:
      return {ErrorKind::internal, fmt::format("{}: the answer broke off ({})", where, reason)};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {ErrorKind::invalid, fmt::format("{}: {}", where, reason)};
    default:
      return {ErrorKind::internal, fmt::format("{}: {}", where, reason)};
  }
}

}  // namespace

struct HttpClient::State {
  std::unique_ptr<CURL, FreeHandle> handle{make_handle()};
};

HttpClient::HttpClient(std::string base)
    : base_(std::move(base)), state_(std::make_unique<State>()) {
  const bool known =
      base_.starts_with("http://") || base_.starts_with("https://") || base_.starts_with(kUnix);
  if (!known) {
    throw Error(ErrorKind::invalid,
                fmt::format("{}: an address starts with http://, https:// or unix:", base_));
  }
  while (!base_.starts_with(kUnix) && base_.ends_with('/')) {
    base_.pop_back();
  }
}

HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::send(const HttpRequest& request) {
  if (!request.target.starts_with('/')) {
    throw Error(ErrorKind::invalid, fmt::format("{}: a target starts with /", request.target));
  }
  CURL* handle = state_->handle.get();
  curl_easy_reset(handle);  // keeps the connection
  Exchange exchange{
      .request = request, .handle = handle, .answer = {}, .upload = {}, .failure = {}};
  char reason[CURL_ERROR_SIZE] = "";
  std::optional<ShortSocketPath> socket;
  std::string url = base_ + request.target;
  if (base_.starts_with(kUnix)) {
    const std::filesystem::path path = base_.substr(kUnix.size());
    std::error_code ignored;
    if (!std::filesystem::exists(path.parent_path(), ignored)) {
      throw Error(ErrorKind::unreachable, fmt::format("{}: nobody listens (no such file)", base_));
    }
    socket.emplace(path);
    curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, socket->str().c_str());
    url = "http://localhost" + request.target;
  }
  const HeaderList headers = header_list(request);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  set_method(handle, exchange);
  set_limits(handle, request);
  set_trust(handle);
  set_callbacks(handle, exchange, reason);
  const CURLcode code = curl_easy_perform(handle);
  // It points into this frame.
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, nullptr);
  if (exchange.failure) {
    std::rethrow_exception(exchange.failure);
  }
  if (code != CURLE_OK) {
    throw error_of(code, handle, base_, *reason != '\0' ? reason : curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  exchange.answer.status = static_cast<int>(status);
  return std::move(exchange.answer);
}

}  // namespace upaas
