using System.Globalization;
using CcmFhir.Audit;
using CcmFhir.Domain;
using CcmFhir.Functions;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Measures;
using CcmFhir.Options;

namespace CcmFhir.MonthEnd;

/// <summary>Puts month end into the server.</summary>
internal static class MonthEndRoom
{
    /// <summary>Adds what it needs.</summary>
    /// <exception cref="InvalidDataException">The rule file is wrong.</exception>
    public static void AddMonthEnd(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(RuleFile.Read(builder.Configuration[RuleFile.Setting]));
        builder.Services.AddSingleton(services => new CloseMonth(
            services.GetRequiredService<StreamRecords>(),
            services.GetRequiredService<RuleSet>(),
            HouseDoor.CheckClaim
        ));
        builder.Services.AddSingleton(services => new CloseRuns(services.GetRequiredService<StreamRecords>().Store));
        builder.Services.AddSingleton<CloseShards>();
        builder.Services.AddSingleton<MonthOperations>();
        builder.Services.AddSingleton<MakeAuditPacket>();
        builder.Services.AddSingleton<AuditOperation>();
        builder.Services.AddSingleton<ProgramFigures>();
        builder.Services.AddSingleton<MeasureOperation>();
        var hour = Hour(builder.Configuration);
        builder.Services.AddSingleton(services => new MonthEndRound(
            services.GetRequiredService<CloseShards>(),
            services.GetRequiredService<Practices>(),
            hour,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<MonthEndRound>>()
        ));
        if (FunctionsHost.StartedUs(builder.Configuration))
        {
            return;
        }
        builder.Services.AddSingleton<ShardsInProcess>();
        builder.Services.AddSingleton<IShardQueue>(services => services.GetRequiredService<ShardsInProcess>());
        builder.Services.AddHostedService<ShardWorker>();
        if (hour is not null)
        {
            builder.Services.AddHostedService<MonthEndWorker>();
        }
    }

    // Behind the Functions host the timer calls; it has been deployed to close months.
    private static int? Hour(IConfiguration settings)
    {
        var text = settings[MonthEndRound.HourSetting];
        if (string.IsNullOrEmpty(text))
        {
            return FunctionsHost.StartedUs(settings) ? 6 : null;
        }
        return text == "never" ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var hour) && hour < 24 ? hour
            : throw new InvalidDataException(
                $"{MonthEndRound.HourSetting} is '{text}'; it is an hour from 0 to 23, or 'never'."
            );
    }
}
