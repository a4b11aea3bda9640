/* What all handlers share; see app.h. */
#include "api/app.h"

int64_t app_new_id(struct app *app)
{
	pthread_mutex_lock(&app->ids_lock);
	int64_t id = id_make(&app->ids, clock_now_ms(app->clock), app->process_number);
	pthread_mutex_unlock(&app->ids_lock);
	return id;
}
