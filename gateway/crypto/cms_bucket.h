/* cms_bucket - the lengths that a padded plaintext may have: for cms.c and cms_shape.c. */
#ifndef CRYPTO_CMS_BUCKET_H
#define CRYPTO_CMS_BUCKET_H

#include <stdbool.h>
#include <stddef.h>

bool cms_is_bucket(size_t size);

#endif
