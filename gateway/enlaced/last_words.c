#include "enlaced/last_words.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "store/db.h"

static void say(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));

    (void)n; /* nobody is left to tell */
}

/* Only what may be called in a signal's handler. */
static void last_words(int number)
{
    say(number == SIGBUS
            ? "fatal enlaced memory.fault signal=SIGBUS cause=a file of the stores was cut"
            : "fatal enlaced memory.fault signal=SIGSEGV cause=a damaged page of the "
              "stores, or a fault of the program");
    say(" remedy=run enlaced --check with the node's settings; it names the place\n");
    _exit(DB_EXIT_STATUS);
}

void last_words_prepare(void)
{
    static const int numbers[] = {SIGBUS, SIGSEGV};
    struct sigaction ours = {.sa_handler = last_words};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction now;

        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
            sigaction(numbers[i], &ours, NULL);
        }
    }
}
