#include "base/error.h"
#include "router-sub/places.h"
#include "router-sub/routers.h"

#include <fmt/core.h>

#include <map>

namespace upaas::router_sub {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

// Replaces every {{name}}; an unknown one is a mistake in the template.
std::string render(std::string_view text, const Values& values) {
  std::string result;
  while (true) {
    const std::size_t open = text.find("{{");
    result += text.substr(0, open);
    if (open == std::string_view::npos) {
      return result;
    }
    const std::size_t close = text.find("}}", open);
    const std::string_view name = text.substr(open + 2, close - open - 2);
    const auto value = values.find(name);
    if (close == std::string_view::npos || value == values.end()) {
      throw Error(ErrorKind::config, fmt::format("template: no value for '{:.60}'", name));
    }
    result += value->second;
    text.remove_prefix(close + 2);
  }
}

std::string listen_address(const Options& options) {
  const bool bare_v6 =
      options.http_host.find(':') != std::string::npos && !options.http_host.starts_with('[');
  return fmt::format(fmt::runtime(bare_v6 ? "[{}]:{}" : "{}:{}"), options.http_host,
                     options.http_port.value);
}

// What is no address must not become a directive of its own.
void require_address(std::string_view key, std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789abcdefABCDEF.:/[]*") != text.npos) {
    throw Error(ErrorKind::config, fmt::format("{}: '{:.60}' is not an IP address", key, text));
  }
}

}  // namespace

std::string nginx_conf(const Options& options, std::string_view template_text) {
  require_address("http", options.http_host);
  std::string real_ip;
  std::string proxies;
  for (const std::string& proxy : options.proxies) {
    require_address("proxies", proxy);
    real_ip += fmt::format("    set_real_ip_from {};\n", proxy);
    proxies += fmt::format("        {} proxy;\n", proxy);
  }
  std::string servers;
  for (const std::string& name : fastrouter_names(options.fastrouters)) {
    servers += fmt::format("    server unix:/home/{}/uwsgi.sock max_fails=0;\n", name);
  }
  return render(template_text, {{"listen", listen_address(options)},
                                {"servers", servers},
                                {"real_ip", real_ip},
                                {"proxies", proxies}});
}

std::string fastrouter_ini(const Options& /*options*/, std::string_view template_text) {
  return render(template_text, {{"own", std::string(inside::kFastRouter)},
                                {"keys", std::string(inside::kKeys)},
                                {"subscriptions", std::string(kSubscriptionSocket)},
                                {"alive", std::string(kAliveSocket)}});
}

}  // namespace upaas::router_sub
