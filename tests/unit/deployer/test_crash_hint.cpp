#include "deployer/crash_hint.h"

#include <catch2/catch.hpp>

using upaas::deployer::crash_hint;

namespace {

constexpr const char* kUnable =
    "unable to load app 0 (mountpoint='') (callable not found or import error)";

}  // namespace

TEST_CASE("an app that Python cannot parse is told the file and the line") {
  CHECK(crash_hint({"  File \"/home/app/app.py\", line 3", "    def application(e, s:",
                    "                   ^", "SyntaxError: '(' was never closed", kUnable}) ==
        "look at app.py:3 (SyntaxError), then deploy again");
}

TEST_CASE("of a traceback the place that is the app's own is told, not that of a library") {
  CHECK(crash_hint(
            {"Traceback (most recent call last):",
             "  File \"/home/app/app.py\", line 1, in <module>", "    import shop",
             "  File \"/home/app/shop/__init__.py\", line 12, in <module>", "    open_stock()",
             "  File \"/home/app/.upaas/venv/lib/python3.11/site-packages/s.py\", line 9, in f",
             "  File \"/usr/lib/python3.11/socket.py\", line 7, in g", "    raise NoStock()",
             "shop.errors.NoStock", kUnable}) ==
        "look at shop/__init__.py:12 (shop.errors.NoStock), then deploy again");
}

TEST_CASE("a module without a callable is told what to name, anything else where to look") {
  CHECK(crash_hint({kUnable}).find("interpreter.settings.module") != std::string::npos);
  CHECK(crash_hint({}) == "the last lines of its log say why");
  CHECK(crash_hint({"File \"/etc/passwd\", line 1", "File \"/home/app/x", "giving up"}) ==
        "the last lines of its log say why");
  CHECK(crash_hint({"File \"/home/app/x.py\", line 1", "what a day"}) ==
        "look at x.py:1, then deploy again");
}
