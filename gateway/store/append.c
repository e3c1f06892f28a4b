#include "store/append.h"

void gathered_clear(struct gathered *gathered)
{
    buffer_clear(&gathered->leaves);
    buffer_clear(&gathered->ends);
    buffer_clear(&gathered->records);
    pack_clear(&gathered->bodies);
}

void gathered_release(struct gathered *gathered)
{
    buffer_release(&gathered->leaves);
    buffer_release(&gathered->ends);
    buffer_release(&gathered->records);
    pack_release(&gathered->bodies);
}
