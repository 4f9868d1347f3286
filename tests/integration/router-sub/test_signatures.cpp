// What a real FastRouter takes as a subscription, and what it refuses.
#include "base/clock.h"
#include "base/unix_socket.h"
#include "router-sub/subscription.h"
#include "tests/integration/router-sub/way_in.h"

#include <catch2/catch.hpp>

#include <ctime>

namespace upaas::test {
namespace {

using router_sub::SigningKey;
using router_sub::Subscription;
using router_sub::Verb;

class Sender {
 public:
  explicit Sender(const WayIn& way)
      : way_(way), socket_(way.options.layout.routers() / "fr1" / "sub" / "sub.sock") {}
  void send(const std::string& datagram) const {
    REQUIRE(wait_until([&] { return send_unix_datagram(socket_, datagram); }, 5s));
  }
  [[nodiscard]] bool known(const std::string& key, const std::string& address) const {
    const std::vector<router_sub::RouterView> views = way_.routers->view(2s);
    for (const router_sub::Node& node : views.front().nodes) {
      if (node.key == key && node.address == address && !node.dying) {
        return true;
      }
    }
    return false;
  }
  /// A good subscription is sent behind it: once that one is known, the other has been judged.
  [[nodiscard]] bool accepted(const std::string& datagram, const Subscription& wanted,
                              const SigningKey& key) const {
    send(datagram);
    const Subscription marker{.key = "marker.test",
                              .address = "/marker" + std::to_string(++count_)};
    send(encode(Verb::subscribe, marker, key, std::time(nullptr)));
    const bool judged = wait_until([&] { return known(marker.key, marker.address); }, 5s);
    INFO(read_file(way_.options.layout.routers() / "fr1" / "log"));
    REQUIRE(judged);
    return known(wanted.key, wanted.address);
  }

 private:
  const WayIn& way_;
  std::filesystem::path socket_;
  mutable int count_ = 0;
};

}  // namespace

TEST_CASE("a FastRouter takes what is signed with the domain's key and nothing else") {
  WayIn way;
  way.routers->publish_domains(model::AppName("one"),
                               {model::Domain("one.test"), model::Domain("marker.test")});
  way.routers->publish_domains(model::AppName("two"), {model::Domain("two.test")});
  const auto keys = way.options.layout.keys();
  const SigningKey one = SigningKey::load(keys / "one.pem");
  const SigningKey two = SigningKey::load(keys / "two.pem");
  const Sender sender(way);
  const auto now = std::time(nullptr);
  const Subscription wanted{.key = "one.test", .address = "/home/i/x/run/app.sock"};

  UwsgiVars bare = {{"key", wanted.key}, {"address", wanted.address}};
  CHECK(!sender.accepted(encode_uwsgi_packet({.modifier1 = 224, .vars = bare}), wanted, one));
  CHECK(!sender.accepted(encode(Verb::subscribe, wanted, two, now), wanted, one));
  CHECK(
      !sender.accepted(encode(Verb::subscribe, wanted, SigningKey::generate(), now), wanted, one));
  CHECK(!sender.accepted(encode(Verb::subscribe, wanted, one, now - 3600), wanted, one));
  const Subscription foreign{.key = "two.test", .address = wanted.address};
  CHECK(!sender.accepted(encode(Verb::subscribe, foreign, one, now), foreign, one));
  std::string tampered = encode(Verb::subscribe, wanted, one, now);
  tampered[tampered.find("/home/i/x") + 8] = 'y';
  CHECK(!sender.accepted(tampered, {.key = "one.test", .address = "/home/i/y/run/app.sock"}, one));

  CHECK(sender.accepted(encode(Verb::subscribe, wanted, one, std::time(nullptr)), wanted, one));
  UwsgiVars gone = bare;
  CHECK(sender.accepted(encode_uwsgi_packet({.modifier1 = 224, .modifier2 = 1, .vars = gone}),
                        wanted, one));
  CHECK(sender.accepted(encode(Verb::unsubscribe, wanted, two, std::time(nullptr)), wanted, one));
  CHECK(!sender.accepted(encode(Verb::unsubscribe, wanted, one, std::time(nullptr)), wanted, one));
}

TEST_CASE("a domain belongs to one app") {
  WayIn way;
  way.routers->publish_domains(model::AppName("one"), {model::Domain("one.test")});
  CHECK_THROWS(way.routers->publish_domains(model::AppName("two"), {model::Domain("one.test")}));
  way.routers->publish_domains(model::AppName("one"), {});
  way.routers->publish_domains(model::AppName("two"), {model::Domain("one.test")});
}

}  // namespace upaas::test
