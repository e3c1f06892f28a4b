/*
 * audit_rescan - is anything missing from the answer about a person? Looks at every leaf oneself.
 *
 * The log comes from an export that is verified whole against its signed root, so no leaf can
 * be left out of it; the key of the person's tags from the node, which logs that it gave it. Every
 * leaf whose subject tag the key makes is the person's; the node's answer must have all of them.
 * What the key cannot find: leaves in which she or he is not the first person, and what the node
 * logged under another key, which the counterpart's log shows.
 */
#ifndef ENLACE_AUDIT_RESCAN_H
#define ENLACE_AUDIT_RESCAN_H

struct cli;
struct petition;

/* Exit status: 1 when the node's answer lacks a leaf. */
int audit_rescan(struct cli *cli, const struct petition *petition, const char *folder);

#endif
