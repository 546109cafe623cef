using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
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
        builder.Services.AddSingleton<MonthOperations>();
    }
}
