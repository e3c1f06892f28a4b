/*
 * fuzz_duty - any bytes as a duty roster. What is taken covers every minute of a week with
 * officials that have a channel, and no target holds what would end a line of SMTP. Seeds in
 * data/duty/.
 */
#include <assert.h>
#include <string.h>

#include "policy/duty_roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MONDAY_MS (INT64_C(1795413600) * 1000) /* 2026-11-23T00:00:00-06:00 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct duty_roster roster;
    const struct duty_official *officials[DUTY_OFFICIALS_MAX];
    struct fault fault = {0};

    if (duty_roster_parse(BYTES(data, size), &roster, &fault) != RC_OK) {
        assert(fault.reason[0] != '\0');
        return 0;
    }
    for (int64_t minute = 0; minute < (int64_t)7 * 24 * 60; minute += 7) {
        size_t count =
            duty_roster_at(&roster, MONDAY_MS + minute * 60000, officials, DUTY_OFFICIALS_MAX);

        assert(count > 0);
        for (size_t i = 0; i < count; i++) {
            assert(duty_channel_name(officials[i]->channel)[0] != '\0');
            assert(officials[i]->channel != DUTY_SMTP ||
                   strpbrk(officials[i]->target, "<>\r\n, ") == NULL);
            assert(officials[i]->target[0] != '\0');
        }
    }
    return 0;
}
