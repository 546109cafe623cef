namespace CcmFhir.Journal;

/// <summary>Which journal a setting names: <c>sqlite:PATH</c>, or <c>azure:</c> with the address of a blob container or account, or a
/// connection string.</summary>
internal static class JournalStores
{
    /// <summary>The setting's name.</summary>
    public const string Setting = "Ccm:Store";

    /// <summary>The store when nothing is set.</summary>
    public const string Default = "sqlite:data/ccm.db";

    /// <summary>Opens the store that the setting names; a store that is not there is made.</summary>
    /// <param name="setting">Value of <see cref="Setting"/>; null or empty is <see cref="Default"/>.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ArgumentException">The setting names no store.</exception>
    /// <exception cref="JournalUnreadableException">What is there is no journal that this release reads.</exception>
    /// <exception cref="JournalUnavailableException">The store cannot be made or reached now.</exception>
    public static ValueTask<IJournalStore> OpenAsync(string? setting, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var text = string.IsNullOrWhiteSpace(setting) ? Default : setting.Trim();
        if (text.StartsWith("sqlite:", StringComparison.Ordinal) && text.Length > "sqlite:".Length)
        {
            return new ValueTask<IJournalStore>(SqliteJournalStore.Open(text["sqlite:".Length..]));
        }
        throw new ArgumentException(
            $"{Setting} names no journal: it is 'sqlite:' and the path of a file, or 'azure:' and an address or connection string.",
            nameof(setting)
        );
    }
}
