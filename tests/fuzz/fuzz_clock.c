/* fuzz_clock - times and dates as text: an accepted UTC time or date has one spelling. */
#include "fuzz/fuzz.h"

#include "base/clock.h"

static bool is_whole_utc(struct bytes text)
{
    return text.size == strlen("2019-06-03T10:00:00Z") && text.data[text.size - 1] == 'Z';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = BYTES(data, size);
    char again[CLOCK_TEXT_SIZE];
    int64_t instant_ms;
    int32_t day;

    if (clock_parse(text, &instant_ms) == RC_OK) {
        clock_format(instant_ms, again);
        assert(!is_whole_utc(text) || bytes_are_text(text, again));
        (void)clock_day(instant_ms);
        (void)clock_local_day(instant_ms);
    }
    if (clock_parse_date(text, &day) == RC_OK) {
        clock_format_date(day, again);
        assert(bytes_are_text(text, again));
    }
    return 0;
}
