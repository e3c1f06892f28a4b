/* An institution's own book: each thing once, dates count, and what is no line is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "workload/books.h"
#include "workload/folder.h"

#define FOLIO "01a20aa3-5d07-729e-8954-c0eb93321bef"
#define DONE "accion\t" FOLIO "\t1\t2\t2019-12-12\tPRO-COD-VIG\n"

static enum rc read_text(struct books *books, const char *text)
{
    char path[] = "/tmp/enlace-book.XXXXXX";
    int file = mkstemp(path);
    enum rc rc;

    assert_true(file >= 0);
    close(file);
    assert_int_equal(folder_write(path, bytes_text(text)), RC_OK);
    rc = books_read(books, "cdmx/ssc", path);
    unlink(path);
    return rc;
}

static void what_was_done_is_found_once_and_for_whom_did_it(void **state)
{
    OWN_PTR(books) books = books_new("2019-12-12");
    struct id folio;

    (void)state;
    assert_int_equal(id_parse(FOLIO, &folio), RC_OK);
    assert_int_equal(read_text(books, DONE "canalizacion\tPARTE/1\n" DONE), RC_OK);
    books_end(books);
    assert_true(books_has(books, "cdmx/ssc", &folio, 1, 2));
    assert_false(books_has(books, "cdmx/ssc", &folio, 1, 1));
    assert_false(books_has(books, "cdmx/c5", &folio, 1, 2));
    assert_int_equal(books_actions(books, NULL), 1);
    assert_int_equal(books_actions(books, "cdmx/c5"), 0);
    assert_int_equal(books_referrals(books), 1);
}

static void what_was_done_later_is_no_part_of_the_report(void **state)
{
    OWN_PTR(books) books = books_new("2019-12-12");

    (void)state;
    assert_int_equal(read_text(books, "accion\t" FOLIO "\t1\t2\t2019-12-13\tPRO-COD-VIG\n"), RC_OK);
    books_end(books);
    assert_int_equal(books_actions(books, NULL), 0);
}

static void a_book_that_is_not_there_is_empty(void **state)
{
    OWN_PTR(books) books = books_new("2019-12-12");

    (void)state;
    assert_int_equal(books_read(books, "cdmx/ssc", "/nowhere/book.tsv"), RC_OK);
    books_end(books);
    assert_int_equal(books_actions(books, NULL), 0);
}

static void what_is_no_line_is_refused(void **state)
{
    static const char *const refused[] = {
        "accion\t" FOLIO "\t1\t2\t2019-12-12\tPRO-COD-VIG", /* cut */
        "\n",
        "accion\t" FOLIO "\t1\t2\t2019-12-12\n",           /* a cell too few */
        "accion\t" FOLIO "\t1\t2\t2019-12-12\tX\tY\n",     /* a cell too many */
        "accion\tMPI/2019/1\t1\t2\t2019-12-12\tX\n",       /* no folio */
        "accion\t" FOLIO "\t0\t2\t2019-12-12\tX\n",        /* from 1 */
        "accion\t" FOLIO "\t1\t-2\t2019-12-12\tX\n",       /* no number */
        "accion\t" FOLIO "\t1\t99999999\t2019-12-12\tX\n", /* too large */
        "accion\t" FOLIO "\t1\t2\t12/12/2019\tX\n",        /* no such date */
        "canalizacion\t\n",
        "otra\tcosa\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OWN_PTR(books) books = books_new("2019-12-12");

        assert_int_equal(read_text(books, refused[i]), RC_DATA_LOSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_done_is_found_once_and_for_whom_did_it),
        cmocka_unit_test(what_was_done_later_is_no_part_of_the_report),
        cmocka_unit_test(a_book_that_is_not_there_is_empty),
        cmocka_unit_test(what_is_no_line_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
