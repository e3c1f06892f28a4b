#include "relay/room.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/log.h"

struct room {
    uint64_t least_bytes;
    atomic_bool is_low;
    char path[];
};

struct room *room_new(const char *path, uint64_t floor_bytes, uint64_t reserve_bytes)
{
    struct room *room = calloc(1, sizeof *room + strlen(path) + 1);

    if (room != NULL) {
        memcpy(room->path, path, strlen(path) + 1);
        room->least_bytes = reserve_bytes > 0 ? floor_bytes + reserve_bytes : 0;
        room_look(room);
    }
    return room;
}

void room_free(struct room *room)
{
    free(room);
}

void room_look(struct room *room)
{
    struct statvfs disk;
    uint64_t free_bytes;
    bool is_low;

    if (statvfs(room->path, &disk) != 0) {
        return; /* the store says what is wrong with its disk */
    }
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    is_low = free_bytes < room->least_bytes;
    if (is_low != atomic_exchange(&room->is_low, is_low)) {
        if (is_low) {
            log_error("disk.reserved",
                      "path=%s free_bytes=%llu least_bytes=%llu ordinary messages wait", room->path,
                      (unsigned long long)free_bytes, (unsigned long long)room->least_bytes);
        } else {
            log_info("disk.unreserved", "path=%s free_bytes=%llu", room->path,
                     (unsigned long long)free_bytes);
        }
    }
}

bool room_is_low(const struct room *room)
{
    return room != NULL && atomic_load(&((struct room *)room)->is_low);
}

enum rc room_admit(const struct room *room, struct fault *fault)
{
    return room_is_low(room)
               ? refuse(fault, RC_UNAVAILABLE, "disk.reserved", "",
                        "El disco del nodo está casi lleno: lo ordinario espera y se reintentará; "
                        "lo urgente sigue saliendo.")
               : RC_OK;
}
