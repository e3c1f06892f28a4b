#include "workload/meter.h"

#include <stdio.h>
#include <unistd.h>

#define WIDTH 40

void progress_show(const struct progress_line *line)
{
    size_t full = line->units_planned == 0 ? 0 : line->units * WIDTH / line->units_planned;

    if (!isatty(STDERR_FILENO)) {
        return;
    }
    fputs("\r  [", stderr);
    for (size_t i = 0; i < WIDTH; i++) {
        fputs(i < full ? "█" : "·", stderr);
    }
    fprintf(stderr, "] %zu de %zu acciones, %zu de %zu intercambios cerrados ", line->units,
            line->units_planned, line->closed, line->exchanges);
    fflush(stderr);
}

void progress_end(void)
{
    if (isatty(STDERR_FILENO)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
