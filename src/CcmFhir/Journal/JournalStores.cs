using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace CcmFhir.Journal;

/// <summary>Which journal a setting names: <c>sqlite:PATH</c>, or <c>azure:</c> with an address or a connection string.</summary>
/// <remarks>
/// An address is that of a storage account's blob service (<c>https://NAME.blob.core.windows.net</c>) or of a container in it, with a SAS
/// when it has a query, otherwise with the credentials that the environment offers (a managed identity on Azure). A connection string may
/// name its container as <c>Container=NAME</c>. Without a container's name it is <see cref="DefaultContainer"/>. The
/// index lies in a table of the same account, named after the container: a SAS must reach both, so it is one of the account.
/// </remarks>
internal static class JournalStores
{
    /// <summary>The setting's name.</summary>
    public const string Setting = "Ccm:Store";

    /// <summary>The store when nothing is set.</summary>
    public const string Default = "sqlite:data/ccm.db";

    /// <summary>The container when none is named.</summary>
    public const string DefaultContainer = "journal";

    private const string Sqlite = "sqlite:";
    private const string Account = "azure:";

    /// <summary>Opens the store that the setting names; a store that is not there is made.</summary>
    /// <param name="setting">Value of <see cref="Setting"/>; null or empty is <see cref="Default"/>.</param>
    /// <param name="clock">Waits between tries are taken from it.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="make">Make what is not there; otherwise that is a <see cref="JournalUnavailableException"/>.</param>
    /// <exception cref="ArgumentException">The setting names no store.</exception>
    /// <exception cref="JournalUnreadableException">What is there is no journal that this release reads.</exception>
    /// <exception cref="JournalUnavailableException">The store cannot be made or reached now.</exception>
    public static async ValueTask<IJournalStore> OpenAsync(
        string? setting,
        TimeProvider clock,
        CancellationToken cancel,
        bool make = true
    )
    {
        cancel.ThrowIfCancellationRequested();
        var text = string.IsNullOrWhiteSpace(setting) ? Default : setting.Trim();
        if (text.StartsWith(Sqlite, StringComparison.Ordinal) && text.Length > Sqlite.Length)
        {
            return SqliteJournalStore.Open(text[Sqlite.Length..], make: make);
        }
        if (text.StartsWith(Account, StringComparison.Ordinal) && text.Length > Account.Length)
        {
            var place = text[Account.Length..];
            return await BlobJournalStore.OpenAsync(Container(place), IndexTable(place), clock, null, make, cancel);
        }
        throw new ArgumentException(
            $"{Setting} names no journal: it is 'sqlite:' and the path of a file, or 'azure:' and an address or connection string.",
            nameof(setting)
        );
    }

    /// <summary>The container that an address or a connection string names.</summary>
    /// <param name="text">What stands behind <c>azure:</c>.</param>
    /// <param name="configure">Changes the client's options.</param>
    /// <exception cref="ArgumentException">It is neither; the message does not repeat it, since it may hold a key.</exception>
    public static BlobContainerClient Container(string text, Action<BlobClientOptions>? configure = null)
    {
        var options = new BlobClientOptions();
        Patient(options.Retry);
        configure?.Invoke(options);
        return Named(() =>
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "https" or "http")
            {
                var uri = new BlobUriBuilder(address);
                if (uri.BlobContainerName.Length == 0)
                {
                    uri.BlobContainerName = DefaultContainer;
                }
                return address.Query.Length > 1
                    ? new BlobContainerClient(uri.ToUri(), options)
                    : new BlobContainerClient(uri.ToUri(), new DefaultAzureCredential(), options);
            }
            var (account, container) = Parts(text);
            return new BlobContainerClient(account, container, options);
        });
    }

    /// <summary>The table of the index that goes with a container.</summary>
    /// <param name="text">What stands behind <c>azure:</c>.</param>
    /// <param name="configure">Changes the client's options.</param>
    /// <exception cref="ArgumentException">It is neither address nor connection string; the message does not repeat it.</exception>
    public static TableClient IndexTable(string text, Action<TableClientOptions>? configure = null)
    {
        var options = new TableClientOptions();
        Patient(options.Retry);
        configure?.Invoke(options);
        return Named(() =>
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "https" or "http")
            {
                var uri = new BlobUriBuilder(address);
                var name = TableName(uri.BlobContainerName.Length == 0 ? DefaultContainer : uri.BlobContainerName);
                if (!address.Host.Contains(".blob.", StringComparison.Ordinal))
                {
                    throw new FormatException("The account's tables cannot be told from the address.");
                }
                var service = new UriBuilder(address)
                {
                    Host = address.Host.Replace(".blob.", ".table.", StringComparison.Ordinal),
                    Path = "",
                    Query = "",
                }.Uri;
                return address.Query.Length > 1
                    ? new TableServiceClient(
                        service,
                        new AzureSasCredential(address.Query[1..]),
                        options
                    ).GetTableClient(name)
                    : new TableClient(service, name, new DefaultAzureCredential(), options);
            }
            var (account, container) = Parts(text);
            return new TableClient(account, TableName(container), options);
        });
    }

    // Letters and digits only; a container whose name has hyphens is told apart by a hash.
    private static string TableName(string container)
    {
        var plain = container.Replace("-", "", StringComparison.Ordinal);
        return plain == container && plain.Length <= 50
            ? $"ccm{plain}index"
            : $"ccm{plain[..Math.Min(plain.Length, 40)]}x{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(container)))[..16]}";
    }

    // Each try may take a while (a large payload on a slow line), all tries together less than a caller waits.
    private static void Patient(RetryOptions retry)
    {
        retry.Mode = RetryMode.Exponential;
        retry.MaxRetries = 5;
        retry.Delay = TimeSpan.FromMilliseconds(200);
        retry.MaxDelay = TimeSpan.FromSeconds(5);
        retry.NetworkTimeout = TimeSpan.FromSeconds(60);
    }

    private static (string Account, string Container) Parts(string text)
    {
        var parts = text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var named = Array.Find(parts, part => part.StartsWith("Container=", StringComparison.OrdinalIgnoreCase));
        return (
            string.Join(';', parts.Where(part => part != named)),
            named?["Container=".Length..] ?? DefaultContainer
        );
    }

    private static T Named<T>(Func<T> client)
    {
        try
        {
            return client();
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidOperationException)
        {
            throw new ArgumentException(
                $"{Setting} names no journal: behind 'azure:' stands neither the address of a blob service or container (https://NAME.blob.core.windows.net) nor a connection string.",
                nameof(client),
                fault
            );
        }
    }
}
