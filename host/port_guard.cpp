#include "host/port_guard.h"

#include "base/error.h"
#include "base/process.h"

#include <fmt/core.h>

#include <set>

namespace upaas::host {
namespace {

const Environment kEnvironment{{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};

Outcome nft(std::string input, bool check_only) {
  Command command;
  command.argv = {"nft"};
  if (check_only) {
    command.argv.emplace_back("-c");
  }
  command.argv.insert(command.argv.end(), {"-f", "-"});
  command.env = kEnvironment;
  command.input = std::move(input);
  return run(command);
}

// "add" before "delete": deleting a table that is not there would fail the transaction.
std::string forget(const std::string& table) {
  return fmt::format("add table inet {0}\ndelete table inet {0}\n", table);
}

std::string elements(const std::set<std::string>& values) {
  if (values.empty()) {
    return {};
  }
  std::string joined;
  for (const std::string& value : values) {
    joined += (joined.empty() ? "" : ", ") + value;
  }
  return fmt::format("elements = {{ {} }};", joined);
}

// Only the first packet of a connection, and the answer to it, are looked at: what is established
// passes. The user of an answer is the one who made the listening socket.
std::string ruleset(const std::string& table, const std::vector<PortGuard::Pair>& pairs,
                    const ReservedPorts& reserved) {
  std::set<std::string> ports;
  std::set<std::string> allowed;
  for (const PortGuard::Pair& pair : pairs) {
    ports.insert(std::to_string(pair.port.value));
    allowed.insert(fmt::format("{} . {}", pair.port.value, pair.uid.value));
  }
  std::set<std::string> apps;
  for (const model::Uid uid : reserved.apps) {
    apps.insert(std::to_string(uid.value));
  }
  std::set<std::string> ranges;
  for (const auto& [first, last] : reserved.ports) {
    ranges.insert(first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
  }
  return forget(table) + fmt::format(R"(table inet {} {{
  set guarded {{ type inet_service; {} }}
  set allowed {{ type inet_service . uid; {} }}
  set apps {{ type uid; {} }}
  set reserved {{ type inet_service; flags interval; auto-merge; {} }}
  chain output {{
    type filter hook output priority 0; policy accept;
    oifname "lo" tcp flags & (syn | ack) == syn tcp dport @guarded \
      meta skuid != 0 tcp dport . meta skuid != @allowed reject with tcp reset
    oifname "lo" tcp flags & (syn | ack) == (syn | ack) tcp sport @guarded \
      meta skuid != 0 tcp sport . meta skuid != @allowed drop
    tcp flags & (syn | ack) == (syn | ack) meta skuid @apps tcp sport @reserved \
      tcp sport . meta skuid != @allowed drop
  }}
  chain input {{
    type filter hook input priority 0; policy accept;
    iifname != "lo" tcp flags & (syn | ack) == syn tcp dport @guarded reject with tcp reset
  }}
}}
)",
                                     table, elements(ports), elements(allowed), elements(apps),
                                     elements(ranges));
}

std::string table_name(std::string_view platform) {
  std::string name = "upaas-" + std::string(platform);
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  for (std::size_t at = 0; (at = name.find_first_not_of(kAllowed, at)) != std::string::npos;) {
    name[at] = '_';
  }
  return name;
}

}  // namespace

PortGuard::PortGuard(std::string_view platform) : table_(table_name(platform)) {
  try {
    available_ = nft(ruleset(table_, {{{1}, {1}}}, {{{1}}, {{1, 2}}}), true).ok();
  } catch (const Error&) {
    // nft is not installed.
  }
}

void PortGuard::set(const std::vector<Pair>& pairs, const ReservedPorts& reserved) {
  const Outcome outcome = nft(ruleset(table_, pairs, reserved), false);
  if (!outcome.ok()) {
    const std::string words = outcome.output.substr(0, outcome.output.find('\n'));
    throw Error(ErrorKind::internal, fmt::format("nft: {}: {}", outcome.describe(), words))
        .with_output(outcome.last_lines(20));
  }
}

bool PortGuard::stands() const {
  Command command;
  command.argv = {"nft", "--terse", "list", "table", "inet", table_};
  command.env = kEnvironment;
  return run(command).ok();
}

void PortGuard::remove() noexcept {
  try {
    static_cast<void>(nft(forget(table_), false));
  } catch (const Error&) {
    // Without nft there is no table.
  }
}

}  // namespace upaas::host
