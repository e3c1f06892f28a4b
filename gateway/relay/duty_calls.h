/*
 * duty_calls - service Duty: what the officials of a member are woken for, and their answers.
 *
 *     queue thread: check, verify the signature --writer--> row, answer, leaf --> queue thread:
 * answer
 */
#ifndef RELAY_DUTY_CALLS_H
#define RELAY_DUTY_CALLS_H

struct call;
struct rpc_service;

/* The rpc methods ListDuty and AnswerDuty. */
void duty_calls_on_list(struct rpc_service *service, struct call *call);
/*
 * RC_NOT_FOUND "duty.unknown" (no such call of the caller's member), RC_FAILED_PRECONDITION
 * "duty.reference" (another call than the one that was shown), "duty.over" (somebody else answered,
 * or its cause went away), "duty.outcome" (a review is found justified or misuse, everything else
 * is attended), "duty.age"; RC_PERMISSION_DENIED "signature.not_official", "signature.invalid".
 */
void duty_calls_on_answer(struct rpc_service *service, struct call *call);

#endif
