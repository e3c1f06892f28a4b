#include "relay/duty_people.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/law_folder.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/node.h"

#define ROSTERS_MAX 256

struct duty_people {
    const struct node *node;
    const char *folder;
    uint64_t state;               /* of the folder, when it was read last */
    uint8_t directory[HASH_SIZE]; /* by which it was read */
    int32_t day;
    struct duty_roster *rosters[ROSTERS_MAX];
    size_t count;
};

struct duty_people *duty_people_new(const struct node *node, const char *folder)
{
    struct duty_people *people = calloc(1, sizeof *people);

    if (people != NULL) {
        people->node = node;
        people->folder = folder;
    }
    return people;
}

void duty_people_free(struct duty_people *people)
{
    if (people != NULL) {
        for (size_t i = 0; i < people->count; i++) {
            free(people->rosters[i]);
        }
        free(people);
    }
}

static struct duty_roster **place_of(struct duty_people *people, const char *member)
{
    for (size_t i = 0; i < people->count; i++) {
        if (strcmp(people->rosters[i]->member, member) == 0) {
            return &people->rosters[i];
        }
    }
    return people->count < ROSTERS_MAX ? &people->rosters[people->count] : NULL;
}

/* Takes the roster when it is newer. */
static void take(struct duty_people *people, struct duty_roster *roster)
{
    struct duty_roster **place = place_of(people, roster->member);
    bool is_new = place == &people->rosters[people->count];

    if (place == NULL || (!is_new && (*place)->version >= roster->version)) {
        if (place != NULL && !is_new && (*place)->version == roster->version &&
            memcmp((*place)->sha256, roster->sha256, HASH_SIZE) != 0) {
            log_warn("duty.refused", "member=%s check=two_of_one_version version=%llu",
                     roster->member, (unsigned long long)roster->version);
        }
        free(roster);
        return;
    }
    log_info("duty.roster", "member=%s version=%llu shifts=%zu", roster->member,
             (unsigned long long)roster->version, roster->shift_count);
    if (is_new) {
        people->count++;
    } else {
        free(*place);
    }
    *place = roster;
}

static void read_file(struct duty_people *people, const struct directory *directory,
                      const struct law_file *file)
{
    struct duty_roster *roster = calloc(1, sizeof *roster);
    struct fault fault = {0};
    int32_t today = people->day;

    if (roster == NULL) {
        return;
    }
    if (duty_roster_read(directory, buffer_bytes(&file->bytes), today, roster, &fault) != RC_OK) {
        log_error("duty.refused", "file=%s reason=%s at=\"%s\"", file->name, fault.reason,
                  fault.path);
        free(roster);
        return;
    }
    if (!node_is(node_of_member(directory, roster->member, today), people->node->self)) {
        log_error("duty.refused", "file=%s reason=duty.not_hosted", file->name);
        free(roster);
        return;
    }
    take(people, roster);
}

void duty_people_refresh(struct duty_people *people)
{
    OWN_EDITION(edition) = inforce_take(people->node->inforce);
    OWN(law_folder) folder = {0};
    int32_t today = clock_local_day(clock_now_ms());
    uint64_t state = people->folder[0] != '\0' ? law_folder_state(people->folder) : 0;

    if (people->folder[0] == '\0' ||
        (state == people->state && today == people->day &&
         memcmp(people->directory, edition->directory->sha256, HASH_SIZE) == 0)) {
        return;
    }
    people->state = state;
    people->day = today;
    memcpy(people->directory, edition->directory->sha256, HASH_SIZE);
    if (law_folder_read(people->folder, &folder) != RC_OK) {
        log_error("duty.folder", "path=%s check=unreadable", people->folder);
        return;
    }
    for (size_t i = 0; i < folder.count; i++) {
        read_file(people, edition->directory, &folder.files[i]);
    }
}

size_t duty_people_at(const struct duty_people *people, const char *member, int64_t now_ms,
                      const struct duty_official *officials[], size_t max)
{
    for (size_t i = 0; i < people->count; i++) {
        const struct duty_roster *roster = people->rosters[i];

        if (strcmp(roster->member, member) == 0) {
            return dates_cover(roster->in_force, clock_local_day(now_ms))
                       ? duty_roster_at(roster, now_ms, officials, max)
                       : 0;
        }
    }
    return 0;
}

const char *duty_people_member(const struct duty_people *people, size_t i)
{
    return i < people->count ? people->rosters[i]->member : NULL;
}
