using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;

namespace CcmFhir.MonthEnd;

/// <summary>Puts month end into the server.</summary>
internal static class MonthEndRoom
{
    /// <summary>Adds what it needs.</summary>
    public static void AddMonthEnd(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(RuleSet.Medicare);
        builder.Services.AddSingleton(services => new CloseMonth(
            services.GetRequiredService<StreamRecords>(),
            services.GetRequiredService<RuleSet>(),
            HouseDoor.CheckClaim
        ));
        builder.Services.AddSingleton<MonthOperations>();
    }
}
