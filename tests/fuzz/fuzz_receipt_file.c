/* fuzz_receipt_file - a message's receipts in one file: one form for one content. */
#include "fuzz/fuzz.h"

#include "client/receipt_file.h"

FUZZ_QUIET()

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct receipt_file file;
    OWN(buffer) again = {0};

    if (receipt_file_parse(BYTES(data, size), &file) == RC_OK) {
        assert(file.count >= 1 && file.count <= RECEIPT_FILE_MAX);
        receipt_file_write(&file, &again);
        assert(bytes_equal(buffer_bytes(&again), BYTES(data, size)));
    }
    return 0;
}
