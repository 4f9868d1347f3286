// Whatever a body is, each reader of the API takes it or says Error(invalid); what was taken can be
// written and is then read as the same. A request to deploy is followed to where its parts are
// read.
#include "base/error.h"
#include "model/app_yaml.h"
#include "model/interpreters.h"
#include "model/names.h"
#include "wire/api.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace upaas;

namespace {

template <typename Act>
void accepted_or_invalid(Act act) {
  try {
    act();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) std::abort();
  }
}

/// read, write, read, write: the two texts are one.
template <typename Read, typename Write>
void check(const Json& body, Read read, Write write) {
  accepted_or_invalid([&] {
    const std::string once = dump_json(write(read(body)));
    if (dump_json(write(read(parse_json(once, "again")))) != once) std::abort();
  });
}

template <typename Value>
Json json_of(const Value& value) {
  return wire::to_json(value);
}

void deploy(const Json& body) {
  const auto request = wire::deploy_request_from_json(body);
  if (request.file_name.size() > 4096 || request.steps.size() > 16) std::abort();
  for (const auto& digest : {request.source, request.bundle}) {
    if (digest) (void)model::BundleId(*digest);
  }
  if (request.interpreter_version) {
    (void)model::same_version(*request.interpreter_version, "3.11");
  }
  (void)model::read_app_yaml(request.app_yaml, request.file_name);
}

void read_stream(std::string_view text) {
  wire::StreamReader reader({});
  try {
    reader.feed(text.substr(0, text.size() / 2));
    reader.feed(text.substr(text.size() / 2));
  } catch (const Error&) {  // of any kind: an error line is thrown as what it says
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_stream(text);
  accepted_or_invalid([&] {
    const Json body = parse_json(text, "request");
    accepted_or_invalid([&] { deploy(body); });
    check(body, wire::deploy_request_from_json, json_of<wire::DeployRequest>);
    check(body, wire::deploy_result_from_json, json_of<wire::DeployResult>);
    check(body, wire::build_from_json, json_of<wire::BuildView>);
    check(body, wire::status_from_json, json_of<wire::Status>);
    check(body, wire::event_from_json, json_of<wire::EventView>);
    check(body, wire::ps_from_json, wire::ps_json);
    check(body, wire::apps_from_json, wire::apps_json);
    check(body, wire::releases_from_json, wire::releases_json);
    check(body, wire::builds_from_json, wire::builds_json);
    check(body, wire::events_from_json, wire::events_json);
    check(body, wire::error_from_json, json_of<Error>);
  });
  return 0;
}
