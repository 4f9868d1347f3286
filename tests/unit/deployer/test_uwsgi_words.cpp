#include "deployer/uwsgi_words.h"

#include <catch2/catch.hpp>

using upaas::deployer::is_uwsgi_chatter;

TEST_CASE("uWSGI's own start messages are told from what an app says and from what went wrong") {
  for (const char* line :
       {"*** Starting uWSGI 2.0.21-debian (64bit) on [Tue Nov 24 13:16:44 2026] ***",
        "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f pid: 1 (default app)",
        "*** no app loaded. GAME OVER ***", "VACUUM: unix socket /home/run/app.sock removed."}) {
    CHECK(is_uwsgi_chatter(line));
  }
  for (const char* line :
       {"", "ModuleNotFoundError: No module named 'nonsense'", "serving",
        "bind(): Permission denied",
        "unable to load app 0 (mountpoint='') (callable not found or import error)",
        "Traceback (most recent call last):",
        "DAMN ! worker 1 (pid: 7) died, killed by signal 9"}) {
    CHECK_FALSE(is_uwsgi_chatter(line));
  }
}
