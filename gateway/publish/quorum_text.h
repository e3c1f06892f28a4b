/*
 * quorum_text - the policy that a directory amounts to, as a tlog-policy text: the log, the
 * witnesses of all other institutions, and as many of them as keep liars from filling the quorum
 * (policy_least).
 */
#ifndef PUBLISH_QUORUM_TEXT_H
#define PUBLISH_QUORUM_TEXT_H

#include "base/bytes.h"
#include "model/directory.h"

/* Appends it; "quorum none" where no other institution has a witness. */
void quorum_text(const struct directory *directory, const struct node_entry *self,
                 struct buffer *text);

#endif
