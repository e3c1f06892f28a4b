/*
 * command - one table of commands, and what they share: profile, connection, spool, output.
 *
 * Exit codes: 0 done, 1 refused, failed or does not verify, 2 usage or an unreadable file. Texts
 * for people are Mexican Spanish on standard output; errors go to standard error with reason, path
 * and remedy. With --json one JSON object goes to standard output, errors included.
 */
#ifndef ENLACE_COMMAND_H
#define ENLACE_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "base/own.h"
#include "model/message.h"

#define EXIT_DONE 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct arena;
struct composed;
struct directory;
struct draft;
struct profile;
struct session;
struct spool;

/* Of one run of the program. What is NULL has not been needed yet. */
struct cli {
    const char *profile_path;
    bool is_json;
    struct profile *profile;
    struct session *session;
    struct spool *spool;
    struct arena *arena; /* lives as long as the program */
};

struct command {
    const char *name;
    const char *arguments; /* for help */
    const char *summary;
    const char *details;                                /* options, one a line; may be NULL */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command commands[]; /* ends with a row whose name is NULL */

int cmd_submit(struct cli *cli, int argc, char **argv);
int cmd_consult(struct cli *cli, int argc, char **argv);
int cmd_inbox(struct cli *cli, int argc, char **argv);
int cmd_act(struct cli *cli, int argc, char **argv);
int cmd_report(struct cli *cli, int argc, char **argv);
int cmd_withdraw(struct cli *cli, int argc, char **argv);
int cmd_trace(struct cli *cli, int argc, char **argv);
int cmd_board(struct cli *cli, int argc, char **argv);
int cmd_track(struct cli *cli, int argc, char **argv);
int cmd_receipt(struct cli *cli, int argc, char **argv);
int cmd_verify(struct cli *cli, int argc, char **argv);
int cmd_log(struct cli *cli, int argc, char **argv);
int cmd_route(struct cli *cli, int argc, char **argv);
int cmd_doctor(struct cli *cli, int argc, char **argv);
int cmd_directory(struct cli *cli, int argc, char **argv);
int cmd_approve(struct cli *cli, int argc, char **argv);
int cmd_review(struct cli *cli, int argc, char **argv);
int cmd_consent(struct cli *cli, int argc, char **argv);
int cmd_veto(struct cli *cli, int argc, char **argv);
int cmd_reject(struct cli *cli, int argc, char **argv);
int cmd_audit(struct cli *cli, int argc, char **argv);
int cmd_ping(struct cli *cli, int argc, char **argv);
int cmd_put(struct cli *cli, int argc, char **argv);
int cmd_get(struct cli *cli, int argc, char **argv);
int cmd_resend(struct cli *cli, int argc, char **argv);
int cmd_erase(struct cli *cli, int argc, char **argv);
int cmd_hold(struct cli *cli, int argc, char **argv);
/* `enlace log prune`: an order as those. */
int log_prune(struct cli *cli, int argc, char **argv);
int cmd_blocked(struct cli *cli, int argc, char **argv);
int cmd_enrol(struct cli *cli, int argc, char **argv);
int cmd_status(struct cli *cli, int argc, char **argv);
int cmd_console(struct cli *cli, int argc, char **argv);
int cmd_parcel(struct cli *cli, int argc, char **argv);
int cmd_duty(struct cli *cli, int argc, char **argv);
int cmd_backup(struct cli *cli, int argc, char **argv);

/* EXIT_DONE, or a printed error and its exit code. */
int cli_need_profile(struct cli *cli);
int cli_need_session(struct cli *cli);
int cli_need_spool(struct cli *cli);

/* Prints why and returns EXIT_FAILED (EXIT_USAGE for what the caller wrote wrong). */
int cli_fault(const struct cli *cli, const struct fault *fault);
__attribute__((format(printf, 3, 4))) int cli_usage(const struct cli *cli, const char *command,
                                                    const char *format, ...);
/* A UUID from the command line. */
int cli_id(const struct cli *cli, const char *command, const char *text, struct id *id);
/* Prints the object and frees it. */
void cli_print(json_t *object);
/* "23/11/2026 14:05:09" in Mexico City. */
#define CLI_TIME_SIZE 32
void cli_time(int64_t instant_ms, char out[CLI_TIME_SIZE]);

/* A whole file, or standard input for "-". */
MUST_CHECK enum rc cli_read_file(const char *path, size_t max, struct buffer *into,
                                 struct fault *fault);
MUST_CHECK enum rc cli_write_file(const char *path, struct bytes bytes, struct fault *fault);

/*
 * Composes, stores in the spool, sends, prints the receipt. Fills sender and time where the draft
 * leaves them open, signs with the profile's official when the message has to be signed.
 */
int cli_send(struct cli *cli, struct draft *draft);
int cli_send_composed(struct cli *cli, const struct id *id, struct bytes request);
/* The directory that the signed texts of a folder make. */
MUST_CHECK enum rc cli_read_law(const char *path, struct directory **directory,
                                struct fault *fault);
/* Why a node by the texts of this folder would take the draft, or not: printed. EXIT_FAILED: not.
 */
int cli_explain(struct cli *cli, const struct draft *draft, const char *folder);
/* The opening of an exchange, or a message in it, from this profile's spools. */
MUST_CHECK enum rc cli_find_exchange(struct cli *cli, const struct id *id, struct message **message,
                                     struct fault *fault);
/* Keeps what later acts and reports need to know. Failure is only logged. */
void cli_keep_exchange(struct cli *cli, const struct message *message);
/* An answer in this exchange, addressed to the other side. */
void cli_answer(const struct cli *cli, const struct header *to, struct header *answer);

#endif
