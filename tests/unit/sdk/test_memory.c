#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/debts.h"
#include "sdk/idset.h"
#include "sdk/ledger.h"

static struct id id_of(unsigned number)
{
    uint8_t random[10] = {0};

    put_u32(random + 6, number);
    return id_v7(1795467167000, random);
}

static void a_set_finds_what_was_added_and_nothing_else(void **state)
{
    struct idset set = {0};

    (void)state;
    for (unsigned i = 1; i <= 5000; i++) {
        struct id id = id_of(i);

        assert_int_equal(idset_add(&set, &id), RC_OK);
        assert_int_equal(idset_add(&set, &id), RC_OK);
    }
    assert_int_equal(set.count, 5000);
    for (unsigned i = 1; i <= 10000; i++) {
        struct id id = id_of(i);

        assert_int_equal(idset_find(&set, &id) != NULL, i <= 5000);
    }
    idset_release(&set);
}

static void a_timeless_set_finds_a_message_by_its_seed(void **state)
{
    struct idset set = {.is_timeless = true};
    uint8_t random[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct id said = id_v7(1795467167000, random);
    struct id asked = id_v7(0, random);

    (void)state;
    assert_null(idset_find(&set, &asked));
    assert_int_equal(idset_add(&set, &said), RC_OK);
    assert_non_null(idset_find(&set, &asked));
    assert_int_equal(id_instant_ms(idset_find(&set, &asked)), 1795467167000);
    idset_release(&set);
}

static void debts_are_paid_in_order_and_wait_for_older_ones(void **state)
{
    struct debts debts = {0};
    struct id ids[3] = {id_of(1), id_of(2), id_of(3)};
    struct id exchange = id_of(100);
    struct id other = id_of(200);

    (void)state;
    assert_int_equal(debts_add(&debts, &ids[0], &exchange), RC_OK);
    assert_int_equal(debts_add(&debts, &ids[1], &other), RC_OK);
    assert_int_equal(debts_add(&debts, &ids[2], &exchange), RC_OK);
    for (int i = 0; i < 3; i++) {
        struct debt *debt = debts_next(&debts);

        assert_true(id_equal(&debt->id, &ids[i]));
        debts_out(&debts, debt);
    }
    assert_null(debts_next(&debts));
    assert_false(debts_is_oldest(&debts, &ids[2]));
    assert_true(debts_is_oldest(&debts, &ids[1]));
    debts_back(&debts, &ids[0]);
    debts_back(&debts, &ids[2]);
    assert_true(id_equal(&debts_next(&debts)->id, &ids[0]));
    debts_settle(&debts, &ids[0]);
    assert_true(id_equal(&debts_next(&debts)->id, &ids[2]));
    assert_true(debts_is_oldest(&debts, &ids[2]));
    debts_settle(&debts, &ids[2]);
    debts_settle(&debts, &ids[1]);
    assert_int_equal(debts.count, 0);
    assert_null(debts_next(&debts));
    assert_int_equal(debts_add(&debts, &ids[0], &exchange), RC_OK);
    assert_non_null(debts_next(&debts));
    debts_release(&debts);
}

static void append(const char *folder, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/handled.log", folder);
    file = fopen(path, "a");
    fputs(text, file);
    fclose(file);
}

static void a_ledger_survives_a_torn_line(void **state)
{
    char folder[] = "/tmp/enlace-ledger-XXXXXX";
    char command[128];
    OWN_PTR(ledger) ledger = NULL;
    struct header header = {.message_id = id_of(1), .type = MESSAGE_ACT, .event = EVENT_IN_FORCE};
    struct id unsynced = id_of(2);

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(ledger_open(folder, &ledger), RC_OK);
    assert_int_equal(ledger_add(ledger, &header), RC_OK);
    assert_int_equal(ledger_sync(ledger), RC_OK);
    header.message_id = unsynced;
    assert_int_equal(ledger_add(ledger, &header), RC_OK); /* never synced: as if never added */
    ledger_free(MOVE(ledger));
    append(folder, "01a20a2e-c5da-7272-b80e-e55791360af0 Act acc");
    assert_int_equal(ledger_open(folder, &ledger), RC_OK);
    assert_int_equal(ledger_counts(ledger)->messages, 1);
    assert_int_equal(ledger_counts(ledger)->acts[EVENT_IN_FORCE], 1);
    assert_false(ledger_has(ledger, &unsynced));
    assert_int_equal(ledger_add(ledger, &header), RC_OK);
    assert_int_equal(ledger_sync(ledger), RC_OK);
    ledger_free(MOVE(ledger));
    assert_int_equal(ledger_open(folder, &ledger), RC_OK);
    assert_int_equal(ledger_counts(ledger)->messages, 2);
    ledger_free(MOVE(ledger));
    append(folder, "not a line\n");
    assert_int_equal(ledger_open(folder, &ledger), RC_INVALID_ARGUMENT);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_finds_what_was_added_and_nothing_else),
        cmocka_unit_test(a_timeless_set_finds_a_message_by_its_seed),
        cmocka_unit_test(debts_are_paid_in_order_and_wait_for_older_ones),
        cmocka_unit_test(a_ledger_survives_a_torn_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
