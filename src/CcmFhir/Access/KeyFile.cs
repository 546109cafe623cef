namespace CcmFhir.Access;

/// <summary>Files of private keys: readable by their owner alone.</summary>
internal static class KeyFile
{
    /// <summary>Makes the file: whole and on the disk, or not at all, also when the process is killed or the disk fails meanwhile; never over
    /// one that another process made first.</summary>
    /// <param name="file">Path.</param>
    /// <param name="pem">What it holds.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void Make(string file, string pem)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        // Containers that share a folder all have process number 1: a draft's name tells them apart all the same.
        var draft = $"{file}.{Guid.NewGuid():N}.new";
        try
        {
            using (var stream = new FileStream(draft, options))
            {
                stream.Write(System.Text.Encoding.ASCII.GetBytes(pem));
                stream.Flush(flushToDisk: true);
            }
            File.Move(draft, file, overwrite: false);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Another process was first: its key stands.
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
