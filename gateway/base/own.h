/*
 * own - release at the end of the block, however it is left.
 *
 *     OWN(buffer) text = {0};      calls buffer_release(&text)
 *     OWN_PTR(db) db = NULL;       calls db_free(db); db_free(NULL) does nothing
 *     return MOVE(db);             gives it away
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#define OWN(type) __attribute__((cleanup(type##_release))) struct type

/* Each opaque type that wants OWN_PTR writes OWN_PTR_DEFINE(type) once, in its header. */
#define OWN_PTR_DEFINE(type)                                                                       \
    __attribute__((unused)) static inline void type##_own_free(struct type **object)               \
    {                                                                                              \
        type##_free(*object);                                                                      \
    }
#define OWN_PTR(type) __attribute__((cleanup(type##_own_free))) struct type *

#define MOVE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) moved_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        moved_;                                                                                    \
    })

#endif
