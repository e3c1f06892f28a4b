#include "workload/figures.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SECTION(text)                                                                              \
    {                                                                                              \
        FIGURES_SECTION, text, "", 0                                                               \
    }
#define LOGS(value, figure, text)                                                                  \
    {                                                                                              \
        FIGURES_LOGS, text, figure, value                                                          \
    }
#define DECLARED(value, figure, text)                                                              \
    {                                                                                              \
        FIGURES_AGGREGATE, text, figure, value                                                     \
    }

static const struct figures_row rows[] = {
    SECTION("2. Sesiones del Consejo de Evaluación de Medidas"),
    DECLARED(10, "consejo.sesiones", "sesiones ordinarias"),
    DECLARED(9, "consejo.previas", "sesiones de trabajo previas"),
    SECTION("3. Vinculación y colaboración interinstitucional"),
    DECLARED(6, "convenios.firmados", "convenios de colaboración firmados"),
    SECTION("4. Prevención y capacitación"),
    DECLARED(14, "capacitacion.actividades", "actividades"),
    DECLARED(11, "capacitacion.cursos", "  capacitaciones"),
    DECLARED(3, "capacitacion.clases", "  clases magistrales"),
    DECLARED(5, "capacitacion.solo-mujeres", "  espacios dirigidos únicamente a mujeres"),
    DECLARED(1390, "capacitacion.personas", "personas participantes"),
    DECLARED(852, "capacitacion.mujeres", "  mujeres"),
    DECLARED(538, "capacitacion.hombres", "  hombres"),
    DECLARED(36, "capacitacion.periodistas", "  periodistas"),
    DECLARED(3, "capacitacion.colaboradoras", "  colaboradores periodísticos"),
    DECLARED(31, "capacitacion.defensoras", "  personas defensoras de derechos humanos"),
    DECLARED(7, "capacitacion.academia", "  representantes de la academia"),
    DECLARED(1180, "capacitacion.estudiantes", "  estudiantes"),
    DECLARED(21, "capacitacion.organizaciones", "  representantes de organizaciones sociales"),
    DECLARED(112, "capacitacion.otros", "  otros"),
    SECTION("5. Atención integral: casos atendidos"),
    DECLARED(165, "casos.total", "casos atendidos"),
    DECLARED(75, "casos.defensora", "  personas defensoras de derechos humanos"),
    DECLARED(87, "casos.periodista", "  personas periodistas"),
    DECLARED(3, "casos.colaboradora", "  personas colaboradoras periodísticas"),
    DECLARED(72, "casos.mujer", "  mujeres"),
    DECLARED(63, "casos.hombre", "  hombres"),
    DECLARED(3, "casos.colectivo", "  casos colectivos"),
    DECLARED(27, "casos.no_especificado", "  sin especificar en el informe"),
    SECTION("5a. Casos incorporados"),
    DECLARED(22, "incorporados.total", "casos incorporados"),
    DECLARED(16, "incorporados.defensora", "  personas defensoras de derechos humanos"),
    DECLARED(6, "incorporados.periodista", "  personas periodistas"),
    DECLARED(17, "incorporados.mujer", "  mujeres"),
    DECLARED(5, "incorporados.hombre", "  hombres"),
    DECLARED(1, "incorporados.edad.20-30", "  entre 20 y 30 años"),
    DECLARED(9, "incorporados.edad.31-40", "  entre 31 y 40 años"),
    DECLARED(5, "incorporados.edad.41-50", "  entre 41 y 50 años"),
    DECLARED(4, "incorporados.edad.51-60", "  entre 51 y 60 años"),
    DECLARED(3, "incorporados.edad.no_especificado", "  que no especificaron"),
    LOGS(1, "acciones.urgente", "acciones de protección urgente"),
    LOGS(84, "acciones.prevencion", "acciones de prevención"),
    LOGS(186, "acciones.social", "acciones de medidas sociales"),
    LOGS(1088, "acciones.proteccion", "acciones de protección"),
    DECLARED(6, "talleres.total", "talleres de autoprotección"),
    DECLARED(43, "talleres.personas", "  personas"),
    DECLARED(29, "talleres.mujeres", "  mujeres"),
    DECLARED(14, "talleres.hombres", "  hombres"),
    DECLARED(29, "talleres.defensoras", "  defensoras de derechos humanos"),
    DECLARED(22, "talleres.defensoras.mujeres", "    mujeres"),
    DECLARED(7, "talleres.defensoras.hombres", "    hombres"),
    DECLARED(14, "talleres.periodistas", "  ejercicio periodístico y libertad de expresión"),
    DECLARED(7, "talleres.periodistas.mujeres", "    mujeres"),
    DECLARED(7, "talleres.periodistas.hombres", "    hombres"),
    SECTION("5b y 5c. Canalizaciones y apoyos al Mecanismo Federal"),
    LOGS(50, "acciones.canalizacion", "atenciones y canalizaciones"),
    LOGS(93, "acciones.federal", "procesos de apoyo al Mecanismo Federal"),
    SECTION("Carga de trabajo W2019 (no está en el informe; la división es nuestra)"),
    LOGS(334, "intercambios.total", "intercambios"),
    LOGS(129, "intercambios.propios", "  solicitudes propias"),
    LOGS(50, "intercambios.canalizaciones", "  canalizaciones"),
    LOGS(93, "intercambios.apoyos", "  solicitudes de apoyo federales"),
    LOGS(62, "intercambios.hijos", "  solicitudes derivadas de un apoyo"),
    LOGS(189, "medidas.total", "medidas otorgadas"),
    LOGS(485, "ejecutor.cdmx/ssc", "acciones reportadas por ssc"),
    LOGS(22, "ejecutor.cdmx/c5", "  por c5"),
    LOGS(88, "ejecutor.cdmx/pgj", "  por pgj"),
    LOGS(264, "ejecutor.cdmx/sedesa", "  por sedesa"),
    LOGS(10, "ejecutor.cdmx/ceavi", "  por ceavi"),
    LOGS(186, "ejecutor.cdmx/saf", "  por saf"),
    LOGS(304, "ejecutor.cdmx/mpi-cdmx", "  por mpi-cdmx, para sí misma"),
    LOGS(1502, "acciones.total", "acciones, canalizaciones y apoyos"),
};

/* What the mechanism captured outside the exchange [report, 2019-12-12]. */
static const struct figure captured[] = {
    {"consejo.sesiones", 10},
    {"consejo.previas", 9},
    {"convenios.firmados", 6},
    {"capacitacion.actividades", 14},
    {"capacitacion.cursos", 11},
    {"capacitacion.clases", 3},
    {"capacitacion.solo-mujeres", 5},
    {"capacitacion.personas", 1390},
    {"capacitacion.mujeres", 852},
    {"capacitacion.hombres", 538},
    {"capacitacion.periodistas", 36},
    {"capacitacion.colaboradoras", 3},
    {"capacitacion.defensoras", 31},
    {"capacitacion.academia", 7},
    {"capacitacion.estudiantes", 1180},
    {"capacitacion.organizaciones", 21},
    {"capacitacion.otros", 112},
    {"talleres.total", 6},
    {"talleres.personas", 43},
    {"talleres.mujeres", 29},
    {"talleres.hombres", 14},
    {"talleres.defensoras", 29},
    {"talleres.defensoras.mujeres", 22},
    {"talleres.defensoras.hombres", 7},
    {"talleres.periodistas", 14},
    {"talleres.periodistas.mujeres", 7},
    {"talleres.periodistas.hombres", 7},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Which of a person's values a declared name counts: "casos.mujer", "incorporados.edad.31-40". */
struct declared {
    const char *name;
    bool is_incorporated_only;
    const char *sex;
    const char *activity;
    const char *age_range;
};

static const struct declared declared[] = {
    {"casos.total", false, NULL, NULL, NULL},
    {"casos.defensora", false, NULL, "defensora", NULL},
    {"casos.periodista", false, NULL, "periodista", NULL},
    {"casos.colaboradora", false, NULL, "colaboradora", NULL},
    {"casos.mujer", false, "mujer", NULL, NULL},
    {"casos.hombre", false, "hombre", NULL, NULL},
    {"casos.colectivo", false, "colectivo", NULL, NULL},
    {"casos.no_especificado", false, "no_especificado", NULL, NULL},
    {"incorporados.total", true, NULL, NULL, NULL},
    {"incorporados.defensora", true, NULL, "defensora", NULL},
    {"incorporados.periodista", true, NULL, "periodista", NULL},
    {"incorporados.mujer", true, "mujer", NULL, NULL},
    {"incorporados.hombre", true, "hombre", NULL, NULL},
    {"incorporados.edad.20-30", true, NULL, NULL, "20-30"},
    {"incorporados.edad.31-40", true, NULL, NULL, "31-40"},
    {"incorporados.edad.41-50", true, NULL, NULL, "41-50"},
    {"incorporados.edad.51-60", true, NULL, NULL, "51-60"},
    {"incorporados.edad.no_especificado", true, NULL, NULL, "no_especificado"},
};

const struct figures_row *figures_rows(size_t *count)
{
    *count = COUNT(rows);
    return rows;
}

void figures_add(struct figures *figures, const char *name, int64_t value)
{
    assert(figures->count < MESSAGE_FIGURES_MAX);
    figures->items[figures->count++] = (struct figure){name, value};
}

void figures_bump(struct figures *figures, const char *name, int64_t by)
{
    for (size_t i = 0; i < figures->count; i++) {
        if (strcmp(figures->items[i].name, name) == 0) {
            figures->items[i].value += by;
            return;
        }
    }
    figures_add(figures, name, by);
}

bool figures_find(const struct figures *figures, const char *name, int64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < figures->count; i++) {
        if (strcmp(figures->items[i].name, name) == 0) {
            *value = figures->items[i].value;
            return true;
        }
    }
    return false;
}

static bool is_or_any(const char *value, const char *wanted)
{
    return wanted == NULL || strcmp(value, wanted) == 0;
}

static int64_t count_people(const struct person people[PEOPLE_CASES], const struct declared *what)
{
    int64_t count = 0;

    for (unsigned i = 0; i < PEOPLE_CASES; i++) {
        const struct person *person = &people[i];
        bool is_in_group = !what->is_incorporated_only || person->group == GROUP_INCORPORATED;

        count += is_in_group && is_or_any(person->sex, what->sex) &&
                 is_or_any(person->activity, what->activity) &&
                 is_or_any(person->age_range, what->age_range);
    }
    return count;
}

void figures_declare(const struct person people[PEOPLE_CASES], struct figures *figures)
{
    for (size_t i = 0; i < COUNT(declared); i++) {
        figures_add(figures, declared[i].name, count_people(people, &declared[i]));
    }
    for (size_t i = 0; i < COUNT(captured); i++) {
        figures_add(figures, captured[i].name, captured[i].value);
    }
}

void figures_format(int64_t value, char out[32])
{
    if (value < 0 || value > 999999999) {
        snprintf(out, 32, "%lld", (long long)value);
    } else if (value >= 1000000) {
        snprintf(out, 32, "%d,%03d,%03d", (int)(value / 1000000), (int)(value / 1000 % 1000),
                 (int)(value % 1000));
    } else if (value >= 1000) {
        snprintf(out, 32, "%d,%03d", (int)(value / 1000), (int)(value % 1000));
    } else {
        snprintf(out, 32, "%d", (int)value);
    }
}
