#include "host/held_ports.h"

#include "base/files.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace upaas::host {
namespace {

// A socket that is bound and does nothing (linux/tcp_states.h); older kernels ignore the bit.
constexpr unsigned kBoundInactive = 13;
// All states but those without an owner.
constexpr std::uint32_t kStates = (1U << TCP_ESTABLISHED) | (1U << TCP_SYN_SENT) |
                                  (1U << TCP_FIN_WAIT1) | (1U << TCP_FIN_WAIT2) |
                                  (1U << TCP_CLOSE_WAIT) | (1U << TCP_LAST_ACK) |
                                  (1U << TCP_LISTEN) | (1U << TCP_CLOSING) | (1U << kBoundInactive);

bool ask(int netlink, std::uint8_t family) {
  struct {
    nlmsghdr header{};
    inet_diag_req_v2 request{};
  } question;
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.request.sdiag_family = family;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = kStates;
  return ::send(netlink, &question, sizeof question, 0) == ssize_t{sizeof question};
}

// False when the dump is over.
bool take(const char* bytes, std::size_t size, std::vector<HeldPort>& ports) {
  for (std::size_t at = 0; at + NLMSG_HDRLEN <= size;) {
    const auto* header = reinterpret_cast<const nlmsghdr*>(bytes + at);
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        header->nlmsg_len < NLMSG_HDRLEN + sizeof(inet_diag_msg)) {
      return false;  // done, or an error
    }
    const auto* socket = reinterpret_cast<const inet_diag_msg*>(bytes + at + NLMSG_HDRLEN);
    // Without an inode its process is gone: the kernel only sends what is left.
    if (socket->idiag_inode != 0) {
      ports.push_back({{ntohs(socket->id.idiag_sport)}, {socket->idiag_uid}});
    }
    at += NLMSG_ALIGN(header->nlmsg_len);
  }
  return true;
}

}  // namespace

std::vector<HeldPort> held_ports() {
  std::vector<HeldPort> ports;
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  alignas(nlmsghdr) std::array<char, 32768> buffer{};
  for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
    if (!netlink.valid() || !ask(netlink.get(), family)) {
      continue;
    }
    ssize_t got = 0;
    do {
      got = ::recv(netlink.get(), buffer.data(), buffer.size(), 0);
    } while (got > 0 && take(buffer.data(), static_cast<std::size_t>(got), ports));
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

}  // namespace upaas::host
