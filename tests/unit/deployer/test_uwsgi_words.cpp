#include "deployer/uwsgi_words.h"

#include <catch2/catch.hpp>

using upaas::deployer::is_uwsgi_chatter;

TEST_CASE("how uWSGI says goodbye does not push out what the app said before") {
  for (const char* line :
       {"unsubscribing from "
        "server=/home/announce/announce.sock,key=a--v1--x,addr=/home/i/a/app.sock",
        "Tue Nov 24 18:46:26 2026 - graceful shutdown triggered...",
        "Tue Nov 24 18:46:26 2026 - SIGINT/SIGTERM received...killing workers...",
        "[uwsgi-daemons] stopping daemon (pid: 21340): exec /bin/sh /home/run/web.sh",
        "daemon \"exec /bin/sh /home/run/web.sh\" (pid: 21340) annihilated",
        "Gracefully killing worker 1 (pid: 21339)...", "worker 1 buried after 1 seconds",
        "goodbye to uWSGI.", "*** dumping internal final routing table ***",
        "[rule: 0] subject: 500 func: 500 action: break:500 Internal Server Error",
        "*** end of the internal final routing table ***",
        "ruby 3.1.7p261 (2025-03-26 revision 0a3704f218) [x86_64-linux-gnu]",
        "DANGER: native threads do not work under ruby !!!",
        "RACK app 0 loaded in 0 seconds at 0xd51 (GC frequency: AGGRESSIVE)",
        "PHP document root set to /home/app", "PHP 8.2.1 initialized",
        "initialized Perl 5.36.0 main interpreter at 0x5619731a4130",
        "/usr/bin/uwsgi-core(uwsgi_backtrace+0x2f) [0x55bfaa7e24df]"}) {
    INFO(line);
    CHECK(is_uwsgi_chatter(line));
  }
  for (const char* line :
       {"worker 3 buried after 2 s", "daemon \"x\" (pid: 3) annihilated", "ruby is nice",
        "PHP Fatal error:  Uncaught Exception", "goodbye", "Tue Nov 24 18:46:26 2026 - ready",
        "Tue Nov 24 18:47:00 2026 - *** HARAKIRI ON WORKER 1 (pid: 21511, try: 1) ***",
        "!!! uWSGI process 21498 got Segmentation Fault !!!"}) {
    INFO(line);
    CHECK_FALSE(is_uwsgi_chatter(line));
  }
}

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
