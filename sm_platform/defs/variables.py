"""Names of the environment variables that are read, and what each means."""

POSTGRES = "SM_POSTGRES_URL"
CREDENTIALS = {
    "GOOGLE_APPLICATION_CREDENTIALS": "Earth Engine: file of a service account's key",
    "GOOGLE_CLOUD_PROJECT": "Earth Engine: project, where [earth_engine] names none",
    "EARTHDATA_TOKEN": "NASA Earthdata: bearer token",
    "EARTHDATA_USERNAME": "NASA Earthdata: user, instead of a token",
    "EARTHDATA_PASSWORD": "NASA Earthdata: password of that user",
    "CDSAPI_KEY": "Climate Data Store: personal access token",
    "ECMWF_DATASTORES_KEY": "Climate Data Store: the same under its newer name",
    "SH_CLIENT_ID": "Copernicus Data Space, Sentinel Hub: id of an OAuth client",
    "SH_CLIENT_SECRET": "Copernicus Data Space, Sentinel Hub: its secret",
    "PL_API_KEY": "Planet: API key",
    "PC_SDK_SUBSCRIPTION_KEY": "Planetary Computer: subscription key (works without)",
}
"""Variables of the services' own that are read for live sources; their values are never told."""
VARIABLES = {
    "SM_DATA_LAKE": "folder of the data lake (default: data_lake/ in the checkout)",
    "SM_MODELS": "folder of the checkpoints (default: models/ in the checkout)",
    "SM_ARCHIVE": "folder of the embedded archive (default: .archive/ in the checkout)",
    "SM_SOURCES": "TOML file that names a service for each driver, or driver=service pairs; "
    "without it folders only (default: none)",
    "SM_FIRST_DAY": "first daily partition (default: 2015-01-01)",
    "SM_MIN_LOOKBACK_SHARE": "least share of look-back steps that must exist (default: 0.5)",
    "SM_AUTOMATION": "on or off: whether sensors and schedules run by themselves (default: on)",
    "SM_WATCH_DAYS": "passes of so many last days are mapped by themselves (default: 30)",
    "SM_FRAME_WAIT_HOURS": "a pass that lacks frames waits so long for them (default: 6)",
    "SM_SILENT_DAYS": "so many days without a new map of a region raise an alert (default: 8)",
    "SM_DAILY_AT": "time of the daily refresh, HH:MM (default: 02:00)",
    "SM_TIME_ZONE": "time zone of that time, for example Asia/Ho_Chi_Minh (default: UTC)",
    "SM_ALERT_WEBHOOK": "address that alerts are posted to as JSON (default: none)",
    "SM_ALERT_EMAIL": "addresses that alerts are mailed to, with commas (default: none)",
    "SM_SMTP_URL": "mail server, smtp://user:password@host:port (default: none)",
    "SM_MEMORY_STEPS": "memory-heavy steps at once (default: 1)",
    "SM_PROVIDER_STEPS": "steps that fetch from one provider at once (default: 2)",
    "SM_MAX_RUNS": "runs at once (default: 3)",
    POSTGRES: "database of a deployment, postgresql+psycopg2://... (default: none)",
    "DAGSTER_HOME": "folder of the Dagster instance (default: .dagster/ in the checkout)",
}
