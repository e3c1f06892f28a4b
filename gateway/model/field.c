#include "model/field.h"

#include <stdio.h>
#include <string.h>

static const struct field catalogue[] = {
    {"identity.full_name", "nombre completo"},
    {"identity.curp", "CURP"},
    {"identity.birth_date", "fecha de nacimiento"},
    {"identity.sex", "sexo"},
    {"identity.nationality", "nacionalidad"},
    {"identity.alias", "nombre de uso"},
    {"identity.activity", "actividad"},
    {"identity.age_range", "rango de edad"},
    {"contact.phone", "teléfono"},
    {"contact.email", "correo electrónico"},
    {"contact.safe_channel", "canal seguro"},
    {"contact.safe_hours", "horario seguro"},
    {"contact.code_word", "palabra clave"},
    {"contact.interpreter", "intérprete"},
    {"location.alcaldia", "alcaldía"},
    {"location.street", "calle y número"},
    {"location.neighbourhood", "colonia"},
    {"location.postal_code", "código postal"},
    {"location.directions", "señas"},
    {"schedule.entries.days", "días"},
    {"schedule.entries.from_time", "desde"},
    {"schedule.entries.to_time", "hasta"},
    {"schedule.entries.place", "lugar"},
    {"relatives.entries.full_name", "nombre del familiar"},
    {"relatives.entries.kinship", "parentesco"},
    {"relatives.entries.phone", "teléfono del familiar"},
    {"health.needs", "necesidades de atención"},
    {"health.condition", "padecimiento"},
    {"health.medication", "medicamentos"},
    {"health.allergies", "alergias"},
    {"legal.carpeta", "carpeta de investigación"},
    {"legal.authority", "autoridad"},
    {"legal.standing", "calidad jurídica"},
    {"social.household", "hogar"},
    {"social.housing", "vivienda"},
    {"social.support_needs", "apoyos que necesita"},
    {"narrative.summary", "síntesis"},
    {"narrative.risk", "riesgo"},
    {"attachments.entries.attachment_id", "anexo"},
    {"attachments.entries.media_type", "tipo de archivo"},
    {"attachments.entries.size", "tamaño"},
    {"attachments.entries.sha256", "huella del archivo"},
    {"attachments.entries.title", "título del anexo"},
};

#define CATALOGUE_SIZE (sizeof catalogue / sizeof catalogue[0])
_Static_assert(CATALOGUE_SIZE <= FIELD_MAX, "a field set has 64 bits");

const struct field *field_catalogue(size_t *count)
{
    *count = CATALOGUE_SIZE;
    return catalogue;
}

void field_set_add(struct field_set *set, unsigned number)
{
    set->bits |= (uint64_t)1 << number;
}

bool field_set_has(struct field_set set, unsigned number)
{
    return (set.bits >> number & 1) != 0;
}

struct field_set field_set_minus(struct field_set set, struct field_set allowed)
{
    return (struct field_set){set.bits & ~allowed.bits};
}

bool field_set_is_empty(struct field_set set)
{
    return set.bits == 0;
}

int field_number(const char *path)
{
    for (size_t i = 0; i < CATALOGUE_SIZE; i++) {
        if (strcmp(catalogue[i].path, path) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void field_set_describe(struct field_set set, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < CATALOGUE_SIZE; i++) {
        int n;

        if (!field_set_has(set, i)) {
            continue;
        }
        n = snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", catalogue[i].path);
        if (n < 0 || (size_t)n >= size - used) {
            snprintf(out + (size > 4 ? size - 4 : 0), 4, "…");
            return;
        }
        used += (size_t)n;
    }
}
