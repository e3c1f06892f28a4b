/*
 * fuzz_policy - tlog-policy texts, tile paths and receipt bundles from arbitrary bytes.
 *
 * What parses as a policy keeps the rules that judging it relies on, and writing it gives a text
 * that parses into the same; what parses as a path is the only way to write that tile.
 */
#include "fuzz/fuzz.h"
#include "tlog/policy.h"
#include "tlog/receipt_bundle.h"
#include "tlog/tiles.h"

FUZZ_QUIET()

static void check_rules(const struct policy *policy)
{
    size_t members[POLICY_GROUPS_MAX] = {0};

    assert(policy->log_count <= POLICY_LOGS_MAX && policy->witness_count <= POLICY_WITNESSES_MAX &&
           policy->group_count <= POLICY_GROUPS_MAX);
    for (size_t i = 0; i < policy->witness_count; i++) {
        uint16_t group = policy->witnesses[i].group;

        assert(policy->witnesses[i].vkey.type == VKEY_COSIGNATURE);
        assert(group == POLICY_NONE || group < policy->group_count);
        if (group != POLICY_NONE) {
            members[group]++;
        }
    }
    for (size_t i = 0; i < policy->group_count; i++) {
        const struct policy_group *group = &policy->groups[i];

        assert(group->group == POLICY_NONE ||
               (group->group > i && group->group < policy->group_count));
        if (group->group != POLICY_NONE) {
            members[group->group]++;
        }
        assert(group->count == members[i] && group->least >= 1 && group->least <= group->count);
    }
    assert(policy->quorum_group == POLICY_NONE || policy->quorum_group < policy->group_count);
    assert(policy->quorum_witness == POLICY_NONE || policy->quorum_witness < policy->witness_count);
}

static void check_policy(struct bytes input)
{
    static struct policy policy;
    static struct policy again;
    struct policy_flaw flaw;
    OWN(buffer) written = {0};
    OWN(buffer) twice = {0};

    if (policy_parse(input, &policy, &flaw) != RC_OK) {
        assert(flaw.reason != NULL);
        return;
    }
    check_rules(&policy);
    policy_write(&policy, &written);
    assert(policy_parse(buffer_bytes(&written), &again, NULL) == RC_OK);
    policy_write(&again, &twice);
    assert(bytes_equal(buffer_bytes(&written), buffer_bytes(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = BYTES(data, size);
    struct receipt_bundle bundle;
    struct tile tile;

    check_policy(input);
    if (tile_path_parse(input, &tile) == RC_OK) {
        char path[TILE_PATH_SIZE];

        tile_path(&tile, path);
        assert(bytes_are_text(input, path));
    }
    if (receipt_bundle_parse(input, &bundle) == RC_OK) {
        assert(bundle.count >= 1 && bundle.count <= RECEIPT_BUNDLE_MAX);
    }
    return 0;
}
