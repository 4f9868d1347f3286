#include "daemon/bundles_api.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/files.h"
#include "control/bundles.h"
#include "control/room.h"
#include "daemon/answers.h"
#include "wire/bundles.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace upaas::daemon {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;
constexpr std::string_view kGzip = "application/gzip";

void send_file(control::Platform& platform, const model::BundleId& id, Reply& reply) {
  const auto path = platform.bundles.verified(id.str());
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) throw system_error("cannot open " + path.string());
  Stream& stream = reply.stream(kGzip);
  std::string piece(kPiece, '\0');
  while (true) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    // What is missing shows: the client compares the digest.
    if (got <= 0) return;
    if (!stream.write({piece.data(), static_cast<std::size_t>(got)})) return;
  }
}

void upload(control::Platform& platform, const Call& call, Reply& reply, const std::string& by) {
  const model::BundleId digest(call.path[2]);
  control::make_room(platform, call.length.value_or(0), "the upload");
  auto incoming = platform.bundles.receive();
  receive_body(call, incoming);
  answer_uploaded(reply, platform.bundles.commit(incoming, digest.str(), by));
}

void ask_for(control::Platform& platform, const Call& call, Reply& reply) {
  const model::BundleId digest(call.path[2]);
  // One that would be refused is to be sent again.
  if (!platform.bundles.has(digest.str()))
    throw Error(ErrorKind::not_found, "no bundle with the digest " + digest.str());
  reply.send(200, kJson, "");
}

void one_route(control::Platform& platform, const Call& call, Reply& reply, const std::string& by) {
  if (call.method == "PUT") return upload(platform, call, reply, by);
  if (call.method == "HEAD") return ask_for(platform, call, reply);
  if (call.method == "POST" && call.path[2] == "rotate-key")
    return send_json(reply, wire::to_json(control::rotate_key(platform, by)));
  if (call.method != "GET" && call.method != "DELETE") throw no_such(call);
  const auto id = control::find_bundle(platform, call.path[2]);
  if (call.method == "GET")
    return send_json(reply, control::show_bundle(platform, id, query(call, "files") == "1"));
  control::remove_bundle(platform, id, by);
  send_json(reply, {{"schema", "upaas.bundle-rm/v1"}, {"bundle", id.str()}});
}

}  // namespace

void receive_body(const Call& call, store::BundleFiles::Incoming& incoming) {
  std::string buffer(kPiece, '\0');
  while (call.body.read(buffer.data(), static_cast<std::streamsize>(buffer.size())),
         call.body.gcount() > 0) {
    incoming.write({buffer.data(), static_cast<std::size_t>(call.body.gcount())});
    fault_point("upload.piece");
  }
}

void answer_uploaded(Reply& reply, const std::string& digest) {
  send_json(reply, {{"schema", "upaas.upload/v1"}, {"digest", digest}}, 201);
}

bool is_download(const Call& call) {
  return call.path.size() == 4 && call.path[1] == "bundles" && call.path[3] == "file";
}

void answer_bundles(control::Platform& platform, const Call& call, Reply& reply,
                    const std::string& by) {
  const bool reads = call.method == "GET";
  if (call.path.size() == 2 && reads) {
    const std::string app = query(call, "app");
    return send_json(
        reply, wire::bundles_json(control::bundle_views(
                   platform, app.empty() ? std::nullopt : std::optional(model::AppName(app)))));
  }
  if (call.path.size() == 3) return one_route(platform, call, reply, by);
  if (call.path.size() != 4) throw no_such(call);
  if (is_download(call) && reads)
    return send_file(platform, control::find_bundle(platform, call.path[2]), reply);
  if (call.path[3] != "verify" || call.method != "POST") throw no_such(call);
  const auto id = control::find_bundle(platform, call.path[2]);
  send_json(reply, wire::to_json(control::check_bundle(platform, id)));
}

}  // namespace upaas::daemon
